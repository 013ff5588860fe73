"""Firmware on the nearest machine of QEMU: a second emulator's opinion on the integers."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import LIMIT_S
from toolchain.verification.inspection import Inspection, inspect
from toolchain.verification.mailbox import Mailbox, infer_all, stack_high_water
from toolchain.verification.qemu_machine import QemuMachine
from toolchain.verification.runtimes.base import Evidence


class QemuRuntime:
    """The firmware ``elf`` of ``graph``, linked for the memories of ``profile``, on that profile's QEMU machine.

    A context manager, because QEMU runs meanwhile. Raises ``InputError`` if the image is broken, faults or
    hangs, ``OutputsDifferError`` if its self-test fails, ``ToolMissingError`` if QEMU is not installed.
    """

    evidence: Evidence = "emulated"

    def __init__(self, elf: Path, profile: Profile, graph: Graph, limit_s: float = LIMIT_S) -> None:
        self.image = read_elf(elf)
        self._mailbox = Mailbox.of(self.image, graph)
        self._machine = QemuMachine(self.image, profile, limit_s)
        self.name = f"QEMU {self._machine.machine}"

    def __enter__(self) -> QemuRuntime:
        self._machine.__enter__()
        try:
            self._mailbox.boot(self._machine)
        except BaseException:
            self._machine.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._machine.close()

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W]."""
        return infer_all(self._machine, self._mailbox, images)

    def inspect(self, image: NDArray[np.uint8]) -> Inspection:
        """Run one image uint8 [C, H, W] and record what it wrote of the arena; instructions are not counted."""
        return inspect(self._machine, self._mailbox, image)

    def stack_bytes(self) -> int:
        """Deepest use of the stack so far, in bytes, from its paint."""
        return stack_high_water(self._machine, self.image)
