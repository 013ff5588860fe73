"""Every kernel, core and compiler against the reference, layer by layer: no byte of the outputs differs."""

from __future__ import annotations

import pytest

from tests.exporters.c.kernels.suite import HOST, QEMU, UNICORN, KernelSuite


@pytest.mark.parametrize("machine", UNICORN, indirect=True, ids="-".join)
class TestUnicorn(KernelSuite):
    """Every core that unicorn has, from both compilers."""


@pytest.mark.parametrize("machine", [one for one in QEMU if "gcc" in one], indirect=True, ids="-".join)
class TestQemu(KernelSuite):
    """Every core: a second opinion on unicorn's, and the only one on an M55."""

    CASES = 8


@pytest.mark.parametrize("machine", [HOST], indirect=True, ids="-".join)
class TestHost(KernelSuite):
    """The plain C on this machine, where sanitizers see what it reads and computes."""


@pytest.mark.accept
@pytest.mark.parametrize("machine", [*UNICORN, *QEMU, HOST], indirect=True, ids="-".join)
class TestLongSweep(KernelSuite):
    """More layers, and larger ones, on every machine."""

    CASES = 300
    FIRST_SEED = 1000
    WORK = 4e5
