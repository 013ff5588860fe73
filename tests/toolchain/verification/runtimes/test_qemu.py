from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support import firmware
from toolchain.errors import InputError
from toolchain.verification.runtimes.qemu import QemuRuntime


@pytest.fixture
def runtime(fixture_elf: Path, require_tool: Callable[[str], str]) -> Iterator[QemuRuntime]:
    require_tool("qemu-system-arm")
    with QemuRuntime(fixture_elf, firmware.profile(), firmware.GRAPH, limit_s=1.0) as opened:
        yield opened


def test_scores_inspection_and_stack(runtime: QemuRuntime) -> None:
    images = np.random.default_rng(0).integers(0, 200, (20, 2, 2, 2)).astype(np.uint8)
    assert runtime.scores(images).tolist() == [firmware.expected(image) for image in images]
    found = runtime.inspect(firmware.image(1, 0x5A, 0xA7))
    assert found.written == b"\1" * 8 + b"\0" * 56 and found.repeatable and found.count is None
    assert 0 < runtime.stack_bytes() < firmware.STACK_BYTES
    assert (runtime.name, runtime.evidence) == ("QEMU netduinoplus2", "emulated")


@pytest.mark.parametrize("trouble", [firmware.UNDEFINED, firmware.SUPERVISOR_CALL, firmware.RUN_NOWHERE])
def test_fault_is_told(runtime: QemuRuntime, trouble: int) -> None:
    with pytest.raises(InputError, match="took a processor fault .*in fault.* on QEMU's netduinoplus2"):
        runtime.scores(firmware.image(trouble)[np.newaxis])


def test_hang_is_stopped(runtime: QemuRuntime) -> None:
    with pytest.raises(InputError, match=r"did not ask for work within 1 s .*in net_infer"):
        runtime.scores(firmware.image(firmware.HANG)[np.newaxis])
