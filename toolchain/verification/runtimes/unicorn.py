"""Firmware on an emulated microcontroller with exactly the memories of its board; needs nothing but pip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import LIMIT_S, Emulator
from toolchain.verification.inspection import Inspection, inspected
from toolchain.verification.mailbox import Mailbox, stack_high_water
from toolchain.verification.runtimes.base import Evidence

_PAINTS = (b"\x5a", b"\xa7")


class UnicornRuntime:
    """The firmware ``elf`` of ``graph``, booted on the emulated board of ``profile``.

    Raises ``InputError`` if the image is broken, faults or hangs, ``OutputsDifferError`` if its self-test
    fails, ``ToolMissingError`` if unicorn is not installed or has no such core.
    """

    evidence: Evidence = "emulated"

    def __init__(self, elf: Path, profile: Profile, graph: Graph, limit_s: float = LIMIT_S) -> None:
        self.image = read_elf(elf)
        self._mailbox = Mailbox.of(self.image, graph)
        self._machine = Emulator(self.image, profile, limit_s)
        model = profile.emulation.unicorn_cpu if profile.emulation else None
        self.name = f"unicorn {self._machine.version}, {str(model).replace('_', '-').title()}"
        self._mailbox.boot(self._machine)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W]."""
        rows = [self._mailbox.infer(self._machine, image) for image in images]
        return np.stack(rows) if rows else np.zeros((0, self._mailbox.classes), np.int32)

    def inspect(self, image: NDArray[np.uint8]) -> Inspection:
        """Run one image uint8 [C, H, W] and record what the firmware did."""
        with inspected(self._machine) as found:
            self._mailbox.infer(self._machine, image)
        return found

    def depends_on_old_arena(self, image: NDArray[np.uint8]) -> bool:
        """Whether the scores of ``image`` change with what the arena held before, which they must not."""
        arena = self.image.symbol("net_arena")
        results = []
        for paint in _PAINTS:
            self._machine.write(arena.address, paint * arena.size_bytes)
            results.append(self._mailbox.infer(self._machine, image))
        return not np.array_equal(*results)

    def stack_bytes(self) -> int:
        """Deepest use of the stack so far, in bytes, from its paint."""
        return stack_high_water(self._machine, self.image)
