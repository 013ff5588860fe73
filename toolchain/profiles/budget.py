"""What a network may take on a board: the profile's limits, or less where the user asks for less."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from toolchain.errors import InputError
from toolchain.profiles.findings import shown
from toolchain.profiles.schema import Content, Profile

_SIZE = re.compile(
    r"\s*(?P<number>\d{1,15}(?:\.\d{1,6})?)\s*(?P<unit>[a-z]{0,3})\s*", re.IGNORECASE | re.ASCII
)
_UNITS = {"": 1, "b": 1, "k": 1024, "kib": 1024, "m": 1024**2, "mib": 1024**2, "kb": 1000, "mb": 1000**2}


@dataclass(frozen=True)
class RegionLimit:
    """What the network may take of one region; ``origin`` is the first address that it may use."""

    name: str
    kind: str
    origin: int
    available_bytes: int
    holds: tuple[Content, ...]


@dataclass(frozen=True)
class Budget:
    """Limits for the network and the image around it, its stack included; None where the board sets no such
        limit.

    A microcontroller limits each region and, over all regions of a kind, ``flash_bytes`` and ``sram_bytes``:
    their sum, or the narrowed number. A Linux board limits the artifact, the resident memory above the bare
    runtime, and the latency. ``energy_mj`` and ``operations`` (dense synaptic operations), both for an
    image, are limits that only a user sets. ``targets`` names the artifacts that are held to it; none: those of the
    profile's default formats.
    """

    regions: tuple[RegionLimit, ...]
    flash_bytes: int | None
    sram_bytes: int | None
    artifact_bytes: int | None
    resident_bytes: int | None
    latency_ms: float | None
    energy_mj: float | None
    operations: int | None
    targets: tuple[str, ...] = ()


def budget(
    profile: Profile,
    *,
    flash_bytes: int | None = None,
    sram_bytes: int | None = None,
    artifact_bytes: int | None = None,
    resident_bytes: int | None = None,
    latency_ms: float | None = None,
    energy_mj: float | None = None,
    operations: int | None = None,
    targets: Sequence[str] | None = None,
) -> Budget:
    """The budget of ``profile``, narrowed where a number is given.

    A narrowed total also caps each region of its kind. A latency may be set where the profile has none; an
    energy only where the profile says what the board draws, since it is that times the latency.
    Raises ``InputError`` if a number is not above 0, widens the budget, or limits what the board does not
    have.
    """
    linux = profile.linux
    flash = _narrowed(profile, "--flash", _total(profile, "flash"), flash_bytes)
    sram = _narrowed(profile, "--sram", _total(profile, "sram"), sram_bytes)
    artifact = _narrowed(profile, "--artifact", linux.artifact_bytes if linux else None, artifact_bytes)
    resident = _narrowed(profile, "--resident", linux.resident_bytes if linux else None, resident_bytes)
    if latency_ms is not None and not (latency_ms > 0 and isfinite(latency_ms)):
        raise InputError(f"--latency is {latency_ms:g} ms; give a time above 0")
    if latency_ms is not None and linux is not None and latency_ms > linux.latency_ms:
        raise InputError(
            f"--latency may only narrow the {linux.latency_ms:g} ms that {profile.name} allows, and "
            f"{latency_ms:g} ms is longer; use a profile of your own to allow more"
        )
    caps = {"flash": flash, "sram": sram}
    return Budget(
        regions=tuple(
            RegionLimit(
                name=region.name,
                kind=region.kind,
                origin=region.available_origin,
                available_bytes=min(region.available_bytes, caps[region.kind] or 0),
                holds=region.holds,
            )
            for region in profile.regions
        ),
        flash_bytes=flash,
        sram_bytes=sram,
        artifact_bytes=artifact,
        resident_bytes=resident,
        latency_ms=latency_ms if latency_ms is not None else linux.latency_ms if linux else None,
        energy_mj=_energy(profile, energy_mj),
        operations=_operations(operations),
        targets=tuple(targets or ()),
    )


def parse_size(text: str) -> int:
    """Bytes of a size such as ``256KiB``, ``64 kB``, ``1.5M`` or ``65536``, in upper or lower case.

    KiB and K are 1024 bytes, MiB and M 1024 x 1024, as in data sheets and linker scripts; kB is 1000 bytes
    and MB 1000 x 1000; B or no unit is bytes. Raises ``InputError`` for anything else, and unless it is a
    whole number of bytes above 0.
    """
    match = _SIZE.fullmatch(text)
    unit = match["unit"].lower() if match else ""
    if match is None or unit not in _UNITS:
        raise InputError(f"{shown(text)} is no size; write a number and KiB, MiB, kB, MB or B, as in 256KiB")
    size = Fraction(match["number"]) * _UNITS[unit]
    if size.denominator != 1 or size <= 0:
        raise InputError(f"{shown(text)} is no whole number of bytes above 0; write a size such as 256KiB")
    return int(size)


def format_size(size_bytes: int) -> str:
    """Bytes as text that ``parse_size`` reads back exactly: MiB or KiB where they divide, else B."""
    for unit, factor in (("MiB", 1024**2), ("KiB", 1024)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes} B"


def _total(profile: Profile, kind: str) -> int | None:
    sizes = [region.available_bytes for region in profile.regions if region.kind == kind]
    return sum(sizes) if sizes else None


def _energy(profile: Profile, wanted: float | None) -> float | None:
    if wanted is None:
        return None
    if not (wanted > 0 and isfinite(wanted)):
        raise InputError(f"--energy is {wanted:g} mJ; give an energy above 0")
    if profile.power is None:
        raise InputError(
            f"--energy does not apply to {profile.name}, which does not say what power it draws; add [power] with"
            " active_mw and its source in a profile of your own that inherits it"
        )
    if profile.role == "linux" and profile.performance is None and profile.calibration is None:
        raise InputError(
            f"--energy does not apply to {profile.name}, which does not say how fast it is; add [performance] with"
            " float_macs_per_second and its source in a profile of your own that inherits it"
        )
    return wanted


def _operations(wanted: int | None) -> int | None:
    if wanted is not None and wanted <= 0:
        raise InputError(f"--operations is {wanted}; give a number of synaptic operations above 0")
    return wanted


def _narrowed(profile: Profile, option: str, limit: int | None, wanted: int | None) -> int | None:
    if wanted is None:
        return limit
    if limit is None:
        instead = "--artifact or --latency" if profile.role == "linux" else "--flash or --sram"
        raise InputError(
            f"{option} does not apply to {profile.name}, which sets no such limit; use {instead}"
        )
    if wanted <= 0:
        raise InputError(f"{option} is {wanted} bytes; give a size above 0")
    if wanted > limit:
        raise InputError(
            f"{option} may only narrow the {format_size(limit)} that {profile.name} allows, and "
            f"{format_size(wanted)} is more; use a profile of your own to allow more"
        )
    return wanted
