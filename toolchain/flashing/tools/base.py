"""The interface of a tool that writes flash, and how its program is found."""

from __future__ import annotations

import os
import re
import shutil
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from toolchain.errors import InputError, ToolMissingError
from toolchain.flashing.job import Image, Job
from toolchain.flashing.steps import Plan, Written

PIP_EXTRA = "pip install 'spikenas-deploy[flash]'"


class Tool(ABC):
    """Writes an image to a board.

    ``programs``: what must be installed, under any of these names; none if we speak to the board ourselves.
    ``install``: how to get it. ``option``: the command line option without which it cannot find the board;
    ``options``: all of them that mean something to it.
    ``erases_everything``: it erases the whole flash, not only what it writes.
    """

    name: str
    programs: tuple[str, ...] = ()
    install: str = ""
    option: str | None = None
    options: tuple[str, ...] = ()
    erases_everything: bool = False

    @abstractmethod
    def plan(self, job: Job) -> Plan:
        """The steps that write ``job.image`` and verify it.

        Raises ``ToolMissingError`` if the program is not installed, ``InputError`` if an option is missing or wrong.
        """


def program(tool: Tool) -> str:
    """Path of the tool's program; raises ``ToolMissingError`` that says how to install it."""
    found = installed(tool)
    if found is None:
        raise ToolMissingError(f"{tool.programs[0]} is not installed; get it with {tool.install}")
    return found


def installed(tool: Tool) -> str | None:
    """Path of the tool's program on PATH or beside our Python, None if there is none."""
    beside = str(Path(sys.executable).parent)
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), beside])
    return next((found for name in tool.programs if (found := shutil.which(name, path=places))), None)


def written(image: Image, where: str = "flash") -> tuple[Written, ...]:
    """What a plan says of a written image."""
    return (Written(f"{where} at 0x{image.address:08x}", len(image.data), image.sha256),)


def port(job: Job, tool: str, form: str, example: str) -> str:
    """``--port``; raises ``InputError`` if it is missing or is not of the ``form`` (a regular expression)."""
    given = job.options.port
    if given is None:
        raise InputError(f"{tool} needs --port, as in --port {example}")
    if not re.fullmatch(form, given):
        raise InputError(
            f"--port {given!r:.60} is nothing that {tool} can use; give it as in --port {example}"
        )
    return given


SERIAL_PORT = r"/?[A-Za-z0-9_][A-Za-z0-9_./:-]*"
"""A device file, or a name as Windows has them; nothing that a program could take for an option."""


def plain(path: Path) -> str:
    """``path`` as text for a program's own command language; raises ``InputError`` if that could read more into it."""
    text = str(path)
    if not re.fullmatch(r"[A-Za-z0-9_./+=@:-]+", text) or text.startswith("-"):
        raise InputError(
            f"the path {text!r:.200} has spaces or signs that this tool could misread; move the run to a plain folder"
        )
    return text
