"""Firmware on an emulated microcontroller with exactly the memories of its board; needs nothing but pip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.operations import operations
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import LIMIT_S, Emulator
from toolchain.verification.inspection import Inspection, inspect, not_the_networks
from toolchain.verification.instruction_count import counted
from toolchain.verification.mailbox import Mailbox, infer_all, stack_high_water
from toolchain.verification.runtimes.base import Evidence

LEAST_S, OPERATION_S = 2.5, 1e-5
"""Seconds that any inference may take, and that each of its operations may take."""


class UnicornRuntime:
    """The firmware ``elf`` of ``graph``, booted on the emulated board of ``profile``.

    ``limit_s`` are the seconds after which it is said to hang, by default as the size of the network says.
    Raises ``InputError`` if the image is broken, faults or hangs, ``OutputsDifferError`` if its self-test
    fails, ``ToolMissingError`` if unicorn is not installed or has no such core. ``stand_in`` says which core
    stood in for the board's (a Cortex-M0 for an M0+, which has the same instructions), empty if its own did.
    """

    evidence: Evidence = "emulated"

    def __init__(self, elf: Path, profile: Profile, graph: Graph, limit_s: float | None = None) -> None:
        self.image = read_elf(elf)
        self._mailbox = Mailbox.of(self.image, graph)
        self._machine = Emulator(self.image, profile, limit_s or _limit_s(graph))
        self._beside = not_the_networks(self.image, profile)
        core, model = str(profile.core), self._machine.model
        self.name = f"unicorn {self._machine.version}, {model}"
        self.stand_in = "" if core == model else f"unicorn has no {core}; {model} executed for it"
        self._mailbox.boot(self._machine)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W]."""
        return infer_all(self._machine, self._mailbox, images)

    def inspect(self, image: NDArray[np.uint8]) -> Inspection:
        """Run one image uint8 [C, H, W] and record what the firmware did."""
        return inspect(self._machine, self._mailbox, image, self._beside, counted(self._machine))

    def stack_bytes(self) -> int:
        """Deepest use of the stack so far, in bytes, from its paint."""
        return stack_high_water(self._machine, self.image)


def _limit_s(graph: Graph) -> float:
    """Seconds after which an inference of ``graph`` hangs: a hundred times what its operations take to emulate."""
    found = operations(graph)
    count = found.pixel_macs + found.head_macs + found.dense_acs + found.membrane_updates
    return min(LIMIT_S, LEAST_S + count * OPERATION_S)
