from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import firmware
from toolchain.profiles.schema import Emulation
from toolchain.verification.runtimes.unicorn import UnicornRuntime

pytest.importorskip("unicorn")


@pytest.fixture(scope="module")
def runtime(fixture_elf: Path) -> UnicornRuntime:
    return UnicornRuntime(fixture_elf, firmware.profile(), firmware.GRAPH)


def test_scores_of_many_images_in_a_cameras_order(runtime: UnicornRuntime) -> None:
    images = np.random.default_rng(0).integers(0, 200, (50, 2, 2, 2)).astype(np.uint8)
    assert runtime.scores(images).tolist() == [firmware.expected(image) for image in images]
    assert runtime.scores(images[:0]).shape == (0, 2)


def test_says_what_ran(runtime: UnicornRuntime) -> None:
    assert runtime.name.startswith("unicorn 2.") and runtime.name.endswith("cortex-m4")
    assert runtime.evidence == "emulated"
    assert runtime.stand_in == ""


def test_says_which_core_stood_in(fixture_elf: Path) -> None:
    board = firmware.profile(
        core="cortex-m33", emulation=Emulation(unicorn_cpu="CORTEX_M4", source="made up")
    )
    found = UnicornRuntime(fixture_elf, board, firmware.GRAPH)
    assert found.stand_in == "unicorn has no cortex-m33; cortex-m4 executed for it"


def test_inspecting_leaves_the_firmware_as_it_was(runtime: UnicornRuntime) -> None:
    image = firmware.image(7, 8, 9)
    before = runtime.scores(image[np.newaxis])
    found = runtime.inspect(image)
    assert found.count is not None and found.count.instructions > 0
    assert (runtime.scores(image[np.newaxis]) == before).all()


def test_stack_is_read_from_its_paint(fixture_elf: Path) -> None:
    runtime = UnicornRuntime(fixture_elf, firmware.profile(), firmware.GRAPH)
    shallow = runtime.stack_bytes()
    runtime.scores(firmware.image(firmware.DEEP_STACK, 20)[np.newaxis])
    assert 0 < shallow < runtime.stack_bytes() < firmware.STACK_BYTES
