"""``prepare``: from a run and what the user asked for to the plan that writes it, or a refusal."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from exporters.c.build import ELF
from toolchain.datasets import digits
from toolchain.errors import InputError
from toolchain.flashing import rp2040, ssh
from toolchain.flashing.flight import SUFFIXES, flight_firmware
from toolchain.flashing.image import firmware_image, require_place
from toolchain.flashing.job import Image, Job, Options
from toolchain.flashing.rules import Evidence, require_all
from toolchain.flashing.steps import Plan, Progress
from toolchain.flashing.tools.choice import choose
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder

WORK = "flash"
"""Folder in the run for files that tools read or write back."""


@dataclass(frozen=True)
class Request:
    """What the user asked for: ``firmware`` and ``elf`` for a hosted board, ``host`` for a Linux board.

    ``standalone`` and ``erase_flight_firmware`` together, and nothing less, let the network's own image take the
    place of a hosted board's flight firmware.
    """

    tool: str | None = None
    options: Options = field(default_factory=Options)
    firmware: Path | None = None
    elf: Path | None = None
    standalone: bool = False
    erase_flight_firmware: bool = False
    host: ssh.Host | None = None


def prepare(run: RunFolder, request: Request) -> Plan:
    """The plan that writes ``run``'s network to its board; nothing is written yet.

    Raises ``InputError`` if anything speaks against it (see ``rules``, ``image``, ``flight``), the error of a verdict
    that failed, ``OverBudgetError`` if a flight firmware does not fit, ``ToolMissingError`` if no tool is installed.
    """
    # A program could take a relative path that begins with a dash for an option.
    run = RunFolder(run.path.absolute())
    evidence = Evidence(run)
    require_all(evidence)
    _require_options_suit(evidence.profile, request)
    plan = _to_linux(evidence, request.host) if request.host is not None else _to_flash(evidence, request)
    if run.settings().data.source in (None, digits.NAME):
        plan = replace(plan, notes=(_DEMONSTRATION, *plan.notes))
    return plan


_DEMONSTRATION = "this network knows the built-in digits: a demonstration, not a network to deploy"


def _to_linux(evidence: Evidence, host: ssh.Host) -> Plan:
    """Every artifact that was verified, and the verdict."""
    names = [Path(artifact.name) for artifact in evidence.verdict.artifacts]
    files = [evidence.run.artifacts / name for name in names if len(name.parts) == 1]
    return ssh.plan(host, [*files, evidence.run.report], evidence.verdict.graph_sha256)


def _to_flash(evidence: Evidence, request: Request) -> Plan:
    """The flight firmware that was given, or else the image of the run."""
    run, profile = evidence.run, evidence.profile
    notes: tuple[str, ...] = ()
    if request.firmware is not None and request.elf is not None:
        file, elf = request.firmware.absolute(), request.elf.absolute()
        flight = flight_firmware(file, elf, profile, evidence.verdict.graph_sha256)
        image, notes = flight.image, flight.notes
    else:
        if not any(artifact.name == ELF for artifact in evidence.verdict.artifacts):
            raise InputError(f"{run.report} speaks of no {ELF}; export the run for firmware, and verify it")
        image = firmware_image(run.artifacts)
        _require_own_image_may_go(image, profile, request)
    job, before = rp2040.with_boot_stage(Job(profile, image, request.options, run.path / WORK))
    plan = choose(job, request.tool).plan(job)
    if request.firmware is not None and request.firmware.suffix not in SUFFIXES.get(plan.tool, ()):
        raise InputError(
            f"{request.firmware} is nothing that {plan.tool} writes; build the file that it takes"
        )
    return replace(plan, steps=(*before, *plan.steps), notes=(*notes, *plan.notes))


def carry_out(run: RunFolder, plan: Plan, progress: Progress) -> None:
    """Take the steps of ``plan``; what they leave in the run's ``flash`` folder is removed afterwards."""
    work = run.path / WORK
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir()
    except OSError as error:
        raise InputError(f"cannot write to {run.path}: {error.strerror}; nothing was flashed") from error
    try:
        plan.run(progress)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _require_options_suit(profile: Profile, request: Request) -> None:
    """Options that are for another kind of board are refused, not ignored."""
    if (request.firmware is None) != (request.elf is None):
        raise InputError(
            "--firmware and --elf come together: the file that is written, and the ELF of the same build"
        )
    if profile.role == "linux":
        if request.host is None:
            raise InputError(f"{profile.name} is reached over ssh; give --host user@board")
        if request.firmware or request.tool not in (None, "ssh"):
            raise InputError(
                f"{profile.name} runs Linux: it takes --host and --path, no --firmware and no flash tool"
            )
        return
    if request.host is not None:
        raise InputError(f"--host is for Linux boards, and {profile.name} is a microcontroller")
    if profile.role == "standalone" and request.firmware is not None:
        raise InputError(
            f"--firmware is for boards with a firmware of their own; {profile.name} takes the image of the run itself"
        )
    if request.firmware is not None and (request.standalone or request.erase_flight_firmware):
        raise InputError(
            "--firmware keeps a flight firmware, --standalone --erase-flight-firmware replaces it; choose"
        )


def _require_own_image_may_go(image: Image, profile: Profile, request: Request) -> None:
    """The image of the run owns the board that it goes to: never one that has a firmware of its own, unless told so."""
    both = request.standalone and request.erase_flight_firmware
    if profile.role == "hosted" and not both:
        raise InputError(
            f"{profile.name} has a firmware of its own, and the network's image would take its place: build the "
            "sources in artifacts/c into that firmware and give it with --firmware FILE --elf FIRMWARE.elf "
            "(replacing it takes both --standalone and --erase-flight-firmware)"
        )
    region = require_place(image, profile)
    start = region.origin + region.bootloader_bytes
    if profile.role == "hosted" and image.address != start:
        raise InputError(
            f"{image.path} begins at 0x{image.address:08x}, behind the firmware of {profile.name}, where nothing would "
            f'start it; make a profile that inherits {profile.name}, with role = "standalone" and reserved_bytes = '
            f"{region.bootloader_bytes} in [regions.{region.name}], and search and export for that"
        )
