"""A figure held against its limit: the rows of the table that `check` and `verify` print.

Nothing here needs numpy or the network; an artifact is measured by its size, or by its sections' addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from toolchain.errors import InputError
from toolchain.profiles.budget import Budget, RegionLimit
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
    """``used`` of ``available``, in ``unit``, of ``resource`` by ``artifact``; ``note`` says where.

    ``available`` None: nothing limits it. ``binding`` False: an estimate for a board that was never timed, of which is
    warned and by which nothing fails.
    """

    artifact: str
    resource: str
    used: int
    available: int | None
    evidence: Evidence
    unit: Unit = "bytes"
    note: str = ""
    binding: bool = True

    @property
    def headroom(self) -> int | None:
        """What remains; negative if the limit is exceeded, None if there is none."""
        return None if self.available is None else self.available - self.used

    @property
    def words(self) -> str:
        """What the numbers count, for a sentence."""
        return _WORDS[self.unit]

    @property
    def over(self) -> str:
        """What is over, for the user; empty if nothing is, or nothing may fail by it."""
        return self._excess("is") if self.binding else ""

    @property
    def warning(self) -> str:
        """What may be over, where nothing fails by it; empty if nothing is."""
        excess = self._excess("may be")
        if self.binding or not excess:
            return ""
        return f"{excess}, {self.note}; only a timed board (`verify --serial --calibrate`) can fail by this"

    def _excess(self, verb: str) -> str:
        if self.headroom is None or self.headroom >= 0:
            return ""
        return (
            f"{self.artifact} {verb} over budget by {-self.headroom:,} {self.words}: {self.resource} needs "
            f"{self.used:,} and has {self.available:,}"
        )


def region_lines(artifact: str, used: dict[str, int], limits: Budget, evidence: Evidence) -> list[BudgetLine]:
    """A line for each memory region of ``limits``, and for flash and SRAM in all where that says more."""
    available = {region.name: region.available_bytes for region in limits.regions}
    kinds = {region.name: region.kind for region in limits.regions}
    totals = {"flash": limits.flash_bytes, "sram": limits.sram_bytes}
    return memory_lines(BudgetLine(artifact, "", 0, None, evidence), used, available, kinds, totals)


def memory_lines(
    form: BudgetLine,
    used: Mapping[str, int],
    available: Mapping[str, int | None],
    kinds: Mapping[str, str],
    totals: Mapping[str, int | None],
) -> list[BudgetLine]:
    """A line for each memory of ``available``, and for all memories of a kind where ``totals`` limits several.

    ``form`` is what the lines share; its resource is added to theirs. All sizes are bytes.
    """
    lines = [
        replace(form, resource=name + form.resource, used=used[name], available=limit)
        for name, limit in available.items()
    ]
    for kind, limit in totals.items():
        names = [name for name in available if kinds[name] == kind]
        if limit is not None and len(names) > 1:
            resource, total = f"{kind} in all{form.resource}", sum(used[name] for name in names)
            lines.append(replace(form, resource=resource, used=total, available=limit))
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
    largest = weights_region(limits)
    if largest is None:
        raise InputError(f"{profile.name} has no flash for {path}; check it for a microcontroller")
    note = "the file alone; TensorFlow Lite Micro's code comes on top"
    size = require_model(path)
    return BudgetLine(path.name, largest.name, size, largest.available_bytes, "measured", note=note)


def weights_region(limits: Budget) -> RegionLimit | None:
    """The largest region of flash that weights may be in; None if there is none."""
    regions = [region for region in limits.regions if region.kind == "flash" and "weights" in region.holds]
    return max(regions, key=lambda region: region.available_bytes, default=None)


def binary_line(path: Path, profile: Profile, limits: Budget) -> BudgetLine:
    """The line of a raw image: its size against the region that it is written to; SRAM cannot be seen from it."""
    region = next((region for region in limits.regions if "code" in region.holds), None)
    if region is None:
        raise takes_no_firmware(path, profile)
    return BudgetLine(path.name, region.name, size_bytes(path), region.available_bytes, "measured")


def size_bytes(path: Path) -> int:
    """Size of the file ``path``; raises ``InputError`` if it is empty or no file."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not path.is_file() or not size:
        raise InputError(f"{path} is empty or not a file; make it again")
    return size


def elf_lines(path: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of a firmware file; raises ``InputError`` if it is broken or linked for another board."""
    if not limits.regions:
        raise takes_no_firmware(path, profile)
    return image_lines(read_elf(path), path.name, profile, limits)


def takes_no_firmware(path: Path, profile: Profile) -> InputError:
    """That a Linux board takes models, not firmware."""
    return InputError(
        f"{path} is firmware, and {profile.name} takes none; check an .onnx or .tflite file instead"
    )
