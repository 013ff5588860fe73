"""What every machine must do with every kernel: the tests of a subclass, which says which machines it is for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest

from tests.exporters.c.kernels.cases import KERNELS, STEP_KERNELS, Case, draw
from tests.exporters.c.kernels.faults import HAVE, showing
from tests.exporters.c.kernels.kernels import Kernels
from tests.exporters.c.kernels.machines import CORE_MEMORIES

COMPILERS = ("zig", "gcc")
UNICORN = [
    ("unicorn", core, compiler)
    for core, memories in CORE_MEMORIES.items()
    if memories.unicorn
    for compiler in COMPILERS
]
QEMU = [("qemu", core, compiler) for core in CORE_MEMORIES for compiler in COMPILERS]
HOST = ("host",)
"""Parameters of the fixture ``machine``: emulator, core and compiler; or this machine."""

ONCE = 512
"""Layers that are kept for the next machine."""

_drawn = lru_cache(ONCE)(draw)


class KernelSuite:
    """Runs drawn layers on ``machine``."""

    CASES = 30
    """Layers of each kernel."""

    FIRST_SEED = 0

    WORK = 1e5
    """Most additions of a row of weights in a layer."""

    @pytest.mark.parametrize("kernel", [*KERNELS, *STEP_KERNELS])
    def test_no_output_differs_from_the_reference(self, machine: Kernels, kernel: str) -> None:
        ran = 0
        for case in self.drawn(kernel):
            if machine.fits(case):
                assert machine.differing(case) == ""
                ran += 1
        # Only the smallest machine has no room for the largest layers.
        assert ran > 0.6 * self.CASES

    @pytest.mark.parametrize("kernel", [*KERNELS, *STEP_KERNELS])
    def test_what_is_off_by_one_is_caught(self, machine: Kernels, kernel: str) -> None:
        for fault in (fault for fault, kernels in HAVE.items() if kernel in kernels):
            case, planted = showing(kernel, fault)
            assert machine.differing(case) == ""
            assert machine.differing(case, planted), f"a {fault} of {kernel} off by one is not seen"

    def drawn(self, kernel: str) -> Iterator[Case]:
        """The layers for ``kernel``, the same on every machine."""
        return (_drawn(kernel, self.FIRST_SEED + index, self.WORK) for index in range(self.CASES))
