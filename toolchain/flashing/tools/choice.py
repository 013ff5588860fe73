"""Which tool writes a board: the one that was asked for, or the profile's first that is installed and can reach it."""

from __future__ import annotations

from toolchain.errors import InputError, ToolMissingError
from toolchain.flashing.job import Job
from toolchain.flashing.tools.base import Tool, installed
from toolchain.flashing.tools.catalog import TOOLS
from toolchain.profiles.rules.board import FLASH_TOOLS


def choose(job: Job, wanted: str | None) -> Tool:
    """The tool called ``wanted``, or else the first of the profile's.

    Raises ``InputError`` if it does not suit the board or the options, or needs one that is missing,
    ``ToolMissingError`` naming how to install each of those that would do.
    """
    profile = job.profile
    if wanted is not None:
        if wanted not in TOOLS or profile.role not in FLASH_TOOLS[wanted].roles:
            known = [name for name in TOOLS if profile.role in FLASH_TOOLS[name].roles]
            raise InputError(f"no tool {wanted!r:.40} writes {profile.name}; there are {', '.join(known)}")
        if objection := _objection(job, TOOLS[wanted]):
            raise InputError(objection)
        return TOOLS[wanted]
    named = [TOOLS[name] for name in profile.flash_tools if name in TOOLS]
    objections = {tool.name: _objection(job, tool) for tool in named}
    suited = [tool for tool in named if objections[tool.name] is None]
    if not suited:
        reasons = "; ".join(reason for reason in objections.values() if reason)
        raise InputError(
            reasons
            or f"{profile.name} names no tool that could write it; add flash_tools to its profile, or use --tool"
        )
    absent = [tool for tool in suited if tool.programs and installed(tool) is None]
    present = [tool for tool in suited if tool not in absent]
    for tool in present:
        if tool.option is None or tool.option in job.options.given:
            return tool
    ways = [f"{tool.name}: {tool.install}" for tool in absent]
    if present:
        needs = [f"{tool.name} needs --{tool.option}" for tool in present]
        others = f" (or install one: {'; '.join(ways)})" if ways else ""
        raise InputError(f"{', '.join(needs)} to find {profile.name}{others}; see `flash --help`")
    raise ToolMissingError(
        f"no tool that writes {profile.name} is installed; get one of them: {'; '.join(ways)}"
    )


def _objection(job: Job, tool: Tool) -> str | None:
    """Why ``tool`` cannot take this job, None if it can."""
    missing = next((key for key in FLASH_TOOLS[tool.name].needs if getattr(job.names, key) is None), None)
    if missing is not None:
        return (
            f"{tool.name} must know {missing} of {job.profile.name}; add it under [flashing] in the profile"
        )
    strange = sorted(job.options.given - set(tool.options))
    if strange:
        return f"--{strange[0]} means nothing to {tool.name}"
    keeps = any(region.kind == "flash" and region.reserved_bytes for region in job.profile.regions)
    if tool.erases_everything and keeps:
        return (
            f"{tool.name} erases the whole flash, and {job.profile.name} reserves some of it; use a tool that erases "
            "what it writes, such as openocd"
        )
    return None
