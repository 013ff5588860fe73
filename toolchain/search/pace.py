"""How long a microcontroller takes for an image: an estimate that keeps networks from being slow.

Memory alone would let a board with a megabyte of flash choose a network that takes seconds. Unless the user sets
a latency, a network should keep up with a camera of 30 frames a second.
"""

from __future__ import annotations

from toolchain.profiles.schema import Core, Profile

FRAME_MS = 1000 / 30
"""Time for one image if a microcontroller is to keep up with a camera."""

CYCLES_PER_OPERATION: dict[Core, float] = {
    "cortex-m0plus": 1.0,
    "cortex-m3": 0.8,
    "cortex-m4": 0.4,
    "cortex-m7": 0.3,
    "cortex-m33": 0.4,
    "cortex-m55": 0.2,
    "xtensa-lx7": 0.8,
}
"""Estimate, per dense synaptic operation, when a fifth of the neurons fire.

Instruction counts of event-driven 3x3 kernels (QEMU, 16x16 maps, 64 channels, T = 4, 20 % density) are 0.2 an
operation in assembly on a Cortex-M4; compiled C takes about twice as many. Other cores are scaled by what
their instruction sets offer for packed additions.
"""


def microcontroller_ms(operations: int, profile: Profile) -> float | None:
    """Milliseconds (estimate) for ``operations`` dense synaptic operations; None for a Linux board."""
    if profile.core is None:
        return None
    return operations * CYCLES_PER_OPERATION[profile.core] / profile.clock_hz * 1e3
