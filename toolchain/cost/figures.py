"""From demands to what a board limits: the one set of formulas for one network and for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import overload

from toolchain.cost import artifacts, calibrated, microcontroller
from toolchain.cost.amounts import Amount, Estimate, larger, rounded
from toolchain.cost.code_size import image_code_bytes
from toolchain.cost.cycles import pace
from toolchain.cost.demand import Demand, Files
from toolchain.cost.layout import mailbox_bytes
from toolchain.cost.regions import Part, assign, image_parts, used_bytes
from toolchain.cost.stack_size import stack_bytes
from toolchain.cost.tflm_bounds import bounds
from toolchain.errors import InputError
from toolchain.profiles.budget import Budget, RegionLimit, budget
from toolchain.profiles.schema import Profile

MICRO = "micro"
"""The target whose files TensorFlow Lite Micro runs."""


@dataclass(frozen=True)
class RegionFigures:
    """How much of a region's share is taken, by one network or by each of many."""

    name: str
    kind: str
    available_bytes: int
    used_bytes: Amount


@dataclass(frozen=True)
class Figures:
    """What ``cost.footprint.Footprint`` says, of one network or of each of many; None: not on this board."""

    flash_bytes: Amount | None
    sram_bytes: Amount | None
    regions: tuple[RegionFigures, ...]
    artifact_bytes: Amount | None
    resident_bytes: Amount | None
    latency_ms: Estimate | None
    energy_mj: Estimate | None
    operations: Amount


def figures(demand: Demand, profile: Profile, targets: Sequence[str] = ()) -> Figures:
    """The figures of a network of this ``demand`` on the board of ``profile``.

    It is shipped for ``targets``; without any, in the default formats of the profile.
    """
    if MICRO in targets:
        return micro_figures(demand, profile, *bounds(demand))
    if profile.core is not None and profile.regions:
        return _microcontroller(demand, profile)
    shipped = _shipped(profile, targets)
    estimated = [target for target in shipped if target in artifacts.ON_PROCESSOR]
    rates = [
        rate for target in estimated if (rate := calibrated.macs_per_second(profile, target)) is not None
    ]
    time_ms = artifacts.image_ms(demand, min(rates)) if rates else None
    return Figures(
        flash_bytes=None,
        sram_bytes=None,
        regions=(),
        artifact_bytes=_largest([artifacts.file_bytes(demand, target, profile) for target in shipped]),
        resident_bytes=_largest([_resident(demand, profile, target) for target in estimated]),
        latency_ms=time_ms,
        energy_mj=energy_mj(profile, time_ms),
        operations=demand.operations,
    )


def files(profile: Profile, targets: Sequence[str] = ()) -> Files:
    """The files of a ``Demand`` that ``figures`` reads for these; firmware and TensorFlow Lite Micro need none."""
    if MICRO in targets or profile.core is not None and profile.regions:
        return frozenset()
    return frozenset(
        name for target in _shipped(profile, targets) for name in artifacts.files_of(target, profile)
    )


def micro_figures(demand: Demand, profile: Profile, file_bytes: Amount, arena_bytes: Amount) -> Figures:
    """The figures of a network that TensorFlow Lite Micro runs from such a file in such an arena.

    Its own code and statics are the user's firmware's. Its kernels take longer than ours, of which the latency is.
    """
    return _on_chip(demand, profile, image_parts(0, file_bytes, profile.stack_bytes, 0, arena_bytes))


def require_predictable(profile: Profile, limits: Budget) -> None:
    """Raise ``InputError`` unless ``figures`` can tell what each of the targets of ``limits`` takes on the board."""
    targets = limits.targets
    known: tuple[str, ...] = ("firmware", MICRO) if profile.core is not None else artifacts.TARGETS
    if profile.runtime is None or profile.runtime.tensorrt is None:
        known = tuple(target for target in known if target != "tensorrt")
    unknown = next((target for target in targets if target not in known), None)
    if unknown is not None:
        raise InputError(
            f"what the target {unknown!r} takes on {profile.name} cannot be predicted, so no budget can be held on it;"
            f" for this board choose {' or '.join(known)}"
        )
    if MICRO in targets and len(targets) > 1:
        raise InputError(
            f"the budget of {profile.name} is one image's; choose {' or '.join(targets)}, and export the other besides"
        )
    if MICRO in targets and (limits.latency_ms is not None or limits.energy_mj is not None):
        raise InputError(
            "--latency and --energy cannot be held on the target 'micro', because how fast TensorFlow Lite Micro runs"
            " depends on the kernels that it is built with; leave them out, or choose the target firmware"
        )


@overload
def energy_mj(profile: Profile, time_ms: float | None) -> float | None: ...
@overload
def energy_mj(profile: Profile, time_ms: Estimate | None) -> Estimate | None: ...
def energy_mj(profile: Profile, time_ms: Estimate | None) -> Estimate | None:
    """Estimated millijoules of ``time_ms`` milliseconds of work; None where the power or the time is not known."""
    if profile.power is None or time_ms is None:
        return None
    return profile.power.active_mw * time_ms / 1e3


def _shipped(profile: Profile, targets: Sequence[str]) -> Sequence[str]:
    return targets or [artifacts.DEFAULTS[form] for form in profile.default_formats if form != "c"]


def _resident(demand: Demand, profile: Profile, target: str) -> Amount:
    return rounded(artifacts.memory_bytes(demand, target) * calibrated.resident_factor(profile, target))


def _microcontroller(demand: Demand, profile: Profile) -> Figures:
    assert profile.core is not None
    parts = image_parts(
        image_code_bytes(demand, profile.core),
        demand.constants_bytes,
        stack_bytes(profile),
        mailbox_bytes(demand.input_bytes, demand.scores_bytes),
        demand.arena_bytes,
    )
    return _on_chip(demand, profile, parts)


def _on_chip(demand: Demand, profile: Profile, parts: Sequence[Part]) -> Figures:
    assert profile.core is not None
    limits = budget(profile).regions
    chosen = assign(parts, limits, profile)
    # A limit that is kept at the slow end of the range is kept.
    cycles = pace(profile, estimated=True).most
    time_ms = microcontroller.image_ms(demand, profile.core, profile.clock_hz, cycles)
    regions = tuple(_region(limit, used_bytes(parts, chosen, index)) for index, limit in enumerate(limits))
    return Figures(
        flash_bytes=_sum(regions, "flash"),
        sram_bytes=_sum(regions, "sram"),
        regions=regions,
        artifact_bytes=None,
        resident_bytes=None,
        latency_ms=time_ms,
        energy_mj=energy_mj(profile, time_ms),
        operations=demand.operations,
    )


def _region(limit: RegionLimit, used: Amount) -> RegionFigures:
    return RegionFigures(limit.name, limit.kind, limit.available_bytes, used)


def _sum(regions: tuple[RegionFigures, ...], kind: str) -> Amount:
    return sum(region.used_bytes for region in regions if region.kind == kind)


def _largest(amounts: list[Amount]) -> Amount | None:
    return reduce(larger, amounts) if amounts else None
