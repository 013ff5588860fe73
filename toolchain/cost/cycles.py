"""What an instruction takes on a microcontroller: a range of cycles, or one measured figure of a calibrated board.

Instructions can be counted exactly; what each of them takes depends on what an emulator does not have: the core's
pipeline, the flash's wait states, caches. Until a board was timed, milliseconds are a range, and limits are held at its
slow end.
"""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.calibrated import cycles_per_estimated_instruction, cycles_per_instruction, label
from toolchain.profiles.schema import Core, Profile


class CoreCycles(NamedTuple):
    """``least`` and ``most`` cycles for an instruction of the kernels from memory without wait states."""

    least: float
    most: float
    source: str


CORES: dict[Core, CoreCycles] = {
    "cortex-m0plus": CoreCycles(
        1.0, 1.6, "Arm DDI 0484, table 3-1: 1 cycle, loads and taken branches 2, LDM and STM 1 + N, BL 3"
    ),
    "cortex-m3": CoreCycles(
        1.0, 1.7, "Arm DDI 0337, table 3-1: 1 cycle, a load 2, LDRD and LDM 1 + N, a taken branch 2 to 4"
    ),
    "cortex-m4": CoreCycles(
        1.0, 1.6, "Arm DDI 0439, table 3-1: 1 cycle, a load 2, LDRD and LDM 1 + N, a taken branch 2 to 4"
    ),
    "cortex-m7": CoreCycles(
        0.5, 1.5, "estimate: two instructions a cycle at most (Arm DDI 0489, which has no table of cycles)"
    ),
    "cortex-m33": CoreCycles(
        0.7, 1.6, "estimate: as a Cortex-M4, but some pairs of 16-bit instructions take one cycle"
    ),
    "cortex-m55": CoreCycles(
        0.7, 1.6, "estimate: as a Cortex-M4, but some pairs of 16-bit instructions take one cycle"
    ),
    "xtensa-lx7": CoreCycles(1.0, 2.0, "estimate: one instruction a cycle at most; caches before its flash"),
}
"""The most of a core with a table is that table over the loop that adds a row of weights, and over the one that updates
the potentials, whichever is slower, rounded up (Cortex-M4: 22 cycles for 15 instructions, 36 for 24)."""

LINE_INSTRUCTIONS, ROW_INSTRUCTIONS = 4, 15
"""Instructions of 4 bytes in a line of flash of 16 bytes, and for a row of weights, which is such a line too."""


class Pace(NamedTuple):
    """Cycles an instruction, at ``least`` and at ``most``, with where they come from.

    ``measured``: on the board, where both are one figure.
    """

    least: float
    most: float
    source: str
    measured: bool


def pace(profile: Profile, *, estimated: bool = False) -> Pace:
    """Cycles for an instruction that an emulator counted, or that the cost model ``estimated``.

    If every line of flash, of code and of weights, waits as often as the profile says, and no cache or prefetch has
    any, that is the most. Raises ``ValueError`` for a board without a core.
    """
    if profile.core is None:
        raise ValueError(f"{profile.name} is no microcontroller")
    of_core = CORES[profile.core]
    measured = (cycles_per_estimated_instruction if estimated else cycles_per_instruction)(profile)
    if measured is not None:
        return Pace(measured, measured, label(profile), True)
    known = [region.wait_states for region in profile.regions if "code" in region.holds]
    waits = max((count for count in known if count is not None), default=None)
    most = of_core.most + (waits or 0) * (1 / LINE_INSTRUCTIONS + 1 / ROW_INSTRUCTIONS)
    waiting = "without wait states" if waits is None else f"flash with {waits} wait states"
    source = f"{of_core.least:g} to {most:.2g} cycles an instruction, {waiting}"
    return Pace(of_core.least, most, source, False)


def image_range_ms(profile: Profile, instructions: float, *, estimated: bool = False) -> tuple[float, float]:
    """Milliseconds of so many instructions, at least and at most."""
    found = pace(profile, estimated=estimated)
    return (
        instructions * found.least / profile.clock_hz * 1e3,
        instructions * found.most / profile.clock_hz * 1e3,
    )


def binding(profile: Profile) -> bool:
    """Whether a limit on time or energy can fail a network: not by an estimate for a microcontroller never timed."""
    return profile.core is None or pace(profile).measured


def range_words(profile: Profile, slowest_ms: float, *, estimated: bool = False) -> str:
    """How the figure at the slow end is to be read: ``12.1 to 38.4 ms at 1 to 3.2 cycles an instruction``."""
    found = pace(profile, estimated=estimated)
    if found.measured:
        return found.source
    return f"{slowest_ms * found.least / found.most:,.3g} to {slowest_ms:,.3g} ms at {found.source}, not calibrated"
