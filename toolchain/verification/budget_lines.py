"""A figure held against its limit: the rows of the table that `check` and `verify` print.

Nothing here needs numpy or the network; an artifact is measured by its size, or by its sections' addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolchain.errors import InputError
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.verification.artifact_files import is_micro, require_model
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.image_use import used_bytes

Evidence = Literal["measured", "emulated", "estimated"]
Unit = Literal["bytes", "us", "uj", "operations"]

_WORDS: dict[Unit, str] = {
    "bytes": "bytes",
    "us": "microseconds",
    "uj": "microjoules",
    "operations": "synaptic operations",
}


@dataclass(frozen=True)
class BudgetLine:
    """``used`` of ``available``, in ``unit``, of ``resource`` by ``artifact``; ``note`` says where."""

    artifact: str
    resource: str
    used: int
    available: int
    evidence: Evidence
    unit: Unit = "bytes"
    note: str = ""

    @property
    def headroom(self) -> int:
        """What remains; negative if the limit is exceeded."""
        return self.available - self.used

    @property
    def over(self) -> str:
        """What is over, for the user; empty if nothing is."""
        if self.headroom >= 0:
            return ""
        return (
            f"{self.artifact} is over budget by {-self.headroom:,} {_WORDS[self.unit]}: {self.resource} needs "
            f"{self.used:,} and has {self.available:,}"
        )


def region_lines(artifact: str, used: dict[str, int], limits: Budget, evidence: Evidence) -> list[BudgetLine]:
    """A line for each memory region of ``limits``, and for flash and SRAM in all where that says more."""
    lines = [
        BudgetLine(artifact, region.name, used[region.name], region.available_bytes, evidence)
        for region in limits.regions
    ]
    for kind, limit in (("flash", limits.flash_bytes), ("sram", limits.sram_bytes)):
        names = [region.name for region in limits.regions if region.kind == kind]
        if limit is not None and len(names) > 1:
            lines.append(
                BudgetLine(artifact, f"{kind} in all", sum(used[name] for name in names), limit, evidence)
            )
    return lines


def image_lines(image: Image, name: str, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of a linked firmware image called ``name``, from the addresses of its sections."""
    return region_lines(name, used_bytes(image, profile), limits, "measured")


def model_line(path: Path, profile: Profile, limits: Budget) -> BudgetLine:
    """The line of an .onnx or .tflite file: its size against the board's limit for artifacts.

    On a microcontroller a file for TensorFlow Lite Micro is held against flash; what it needs of SRAM is not in it.
    """
    if limits.artifact_bytes is None:
        if path.suffix == ".tflite" and is_micro(path):
            return micro_line(path, profile, limits)
        raise InputError(
            f"{path} is for a Linux board, and {profile.name} is a microcontroller; check its firmware.elf instead"
        )
    return BudgetLine(path.name, "artifact", require_model(path), limits.artifact_bytes, "measured")


def micro_line(path: Path, profile: Profile, limits: Budget) -> BudgetLine:
    """The line of a TFLite file for microcontrollers: its size against the largest region for weights."""
    regions = [region for region in limits.regions if region.kind == "flash" and "weights" in region.holds]
    if not regions:
        raise InputError(f"{profile.name} has no flash for {path}; check it for a microcontroller")
    largest = max(regions, key=lambda region: region.available_bytes)
    note = "the file alone; TensorFlow Lite Micro's code comes on top"
    size = require_model(path)
    return BudgetLine(path.name, largest.name, size, largest.available_bytes, "measured", note=note)


def binary_line(path: Path, profile: Profile, limits: Budget) -> BudgetLine:
    """The line of a raw image: its size against the region that it is written to; SRAM cannot be seen from it."""
    region = next((region for region in limits.regions if "code" in region.holds), None)
    if region is None:
        raise _takes_none(path, profile)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not path.is_file() or not size:
        raise InputError(f"{path} is empty or not a file; export it again")
    return BudgetLine(path.name, region.name, size, region.available_bytes, "measured")


def elf_lines(path: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of a firmware file; raises ``InputError`` if it is broken or linked for another board."""
    if not limits.regions:
        raise _takes_none(path, profile)
    return image_lines(read_elf(path), path.name, profile, limits)


def _takes_none(path: Path, profile: Profile) -> InputError:
    return InputError(
        f"{path} is firmware, and {profile.name} takes none; check an .onnx or .tflite file instead"
    )
