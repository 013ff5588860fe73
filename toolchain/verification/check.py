"""``check``: an artifact, or a run with all of its artifacts, held against a board's limits; nothing is run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from toolchain.errors import InputError, ToolMissingError
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.verification.artifact_files import require_model
from toolchain.verification.budget_lines import (
    BudgetLine,
    binary_line,
    elf_lines,
    image_lines,
    model_line,
    size_bytes,
)
from toolchain.verification.elf import MACHINES, read_elf
from toolchain.verification.firmware_lines import NetworkLimits, firmware_use
from toolchain.verification.hex_file import read_hex
from toolchain.verification.image_map import FLASH, MemoryRow
from toolchain.verification.subjects import MODELS, Subject
from toolchain.verification.uf2_file import read_uf2

KINDS = (".onnx", ".tflite", ".elf", ".bin", ".hex", ".uf2")
"""Endings of the files that can be checked."""

MICRO = ("model_micro.tflite", "model_micro_step.tflite")
"""Those of a run that are for microcontrollers, beside firmware."""

_MAILBOX = "spikenas_mailbox"
"""Only the image that `export` links has it: an image of ours, which must lie exactly where the profile says."""


@dataclass(frozen=True)
class Checked:
    """Every limit with what is used of it, the sections of somebody's firmware, and what the user should know."""

    lines: list[BudgetLine]
    memory: tuple[MemoryRow, ...] = ()
    notes: list[str] = field(default_factory=list)


def examine(subject: Subject) -> Checked:
    """Hold one subject to its limits.

    Raises ``InputError`` if it is missing, broken, for another board, or nothing that can be checked.
    """
    path, profile, limits = subject.path, subject.profile, subject.limits
    _require_artifact(path)
    if path.suffix not in (".elf", ".hex", ".uf2") and (
        subject.prefixes or subject.network != NetworkLimits()
    ):
        raise InputError(
            f"{path} is a raw file, a model or a run, which has no symbols; its network's part is seen in an .elf file"
        )
    if os.path.isdir(path):
        if profile is None:
            raise InputError(f"{path} is a run, and needs the profile of its board; give one")
        return Checked(check_run(path, profile, limits), notes=_unpredicted(path))
    if path.suffix in (".hex", ".uf2"):
        image = read_hex(path) if path.suffix == ".hex" else read_uf2(path)
    elif path.suffix == ".elf" and (profile is None or profile.regions):
        image = read_elf(path, MACHINES.values())
        if profile is not None and _MAILBOX in image.symbols:
            return Checked(image_lines(image, path.name, profile, limits))
    elif profile is None:
        return Checked([_limited_file(path, limits)])
    elif path.suffix == ".bin" and profile.role == "hosted" and not subject.own:
        region = next(region for region in profile.regions if "code" in region.holds)
        note = "of the whole memory, since a raw file does not say where it begins"
        return Checked(
            [BudgetLine(path.name, region.name, size_bytes(path), region.size_bytes, "measured", note=note)]
        )
    else:
        return Checked(check_file(path, profile, limits))
    use = firmware_use(image, profile, limits, subject.network, subject.prefixes)
    return Checked(use.lines, use.memory, use.notes)


def check_file(path: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of one artifact of ours; raises ``InputError`` as ``examine`` does."""
    _require_artifact(path)
    if path.suffix in MODELS:
        return [model_line(path, profile, limits)]
    if path.suffix == ".elf":
        return elf_lines(path, profile, limits)
    if path.suffix == ".bin":
        return [binary_line(path, profile, limits)]
    return examine(Subject(path, profile, limits)).lines


def check_run(folder: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of every artifact of the run in ``folder``, and of what its network is predicted to take.

    Raises ``InputError`` if the run has neither, or one is broken or for another board; ``ToolMissingError`` if there
    is nothing but a prediction to be made, and no numpy.
    """
    artifacts = folder / "artifacts"
    # A microcontroller's network may be exported for desktops too, where it has no limit, and the other way round.
    kinds = (".elf", ".bin") if limits.regions else MODELS
    paths = sorted(
        path
        for path in artifacts.glob("*")
        if path.is_file() and (path.suffix in kinds or limits.regions and path.name in MICRO)
    )
    lines = [line for path in paths for line in check_file(path, profile, limits)]
    unpredicted = _unpredicted(folder)
    if unpredicted and not lines:
        raise ToolMissingError(
            f"{folder} has no artifact, and {unpredicted[0]}; install it, or export the run"
        )
    if (folder / "model.json").is_file() and not unpredicted:
        # The only lines that need numpy, which takes longer to import than everything else here.
        from toolchain.graph.storage import load_graph
        from toolchain.runs import RunFolder
        from toolchain.verification import micro_artifacts
        from toolchain.verification.prediction import predicted_lines

        graph = load_graph(folder)
        lines += predicted_lines(graph, profile, limits, RunFolder(folder).schedule())
        for name in MICRO:
            if any(path.name == name for path in paths):
                lines += micro_artifacts.predicted_lines(graph, profile, limits, name)
    if not lines:
        raise InputError(f"{folder} holds no network and no artifact yet; run `spikenas-deploy export` first")
    return lines


def _unpredicted(folder: Path) -> list[str]:
    """The note that the lines of a prediction are missing, where they are."""
    if (folder / "model.json").is_file() and find_spec("numpy") is None:
        return [
            f"what {folder} is predicted to take, its latency among it, was not looked at: numpy is not installed"
        ]
    return []


def _require_artifact(path: Path) -> None:
    # os.path, because a path that is too long or loops is simply not there.
    if not os.path.exists(path):
        raise InputError(f"{path} does not exist; give an artifact ({', '.join(KINDS)}) or a run's folder")
    if path.suffix not in KINDS and not os.path.isdir(path):
        raise InputError(
            f"{path} is no artifact; give a file that ends in {', '.join(KINDS)}, or a run's folder"
        )


def _limited_file(path: Path, limits: Budget) -> BudgetLine:
    """The line of a file, held to limits that the user gave without a board."""
    if path.suffix in MODELS:
        return BudgetLine(path.name, "artifact", require_model(path), limits.artifact_bytes, "measured")
    return BudgetLine(path.name, FLASH, size_bytes(path), limits.flash_bytes, "measured")
