from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from exporters.c.build import build
from tests.support import firmware
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.layout import layout
from toolchain.graph import reference
from toolchain.graph.nodes import Lif, SpikeConv
from toolchain.profiles.schema import Emulation
from toolchain.verification import footprint_proof
from toolchain.verification.elf import read_elf
from toolchain.verification.runtimes.unicorn import UnicornRuntime

pytest.importorskip("unicorn")


@pytest.fixture(scope="module")
def runtime(fixture_elf: Path) -> UnicornRuntime:
    return UnicornRuntime(fixture_elf, firmware.profile(), firmware.GRAPH)


def test_scores_of_many_images_in_a_cameras_order(runtime: UnicornRuntime) -> None:
    images = np.random.default_rng(0).integers(0, 200, (50, 2, 2, 2)).astype(np.uint8)
    assert runtime.scores(images).tolist() == [firmware.expected(image) for image in images]
    assert runtime.scores(images[:0]).shape == (0, 2)


@pytest.mark.parametrize("board", ["stm32f405", "rp2040"])
@pytest.mark.parametrize("bits", [4, 2])
def test_packed_weights_in_flash_are_as_planned_and_give_the_reference_s_scores(
    tmp_path: Path, board: str, bits: int, require_package: Callable[[str], None]
) -> None:
    """Networks whose layers have 8 bits, ``bits`` and no weights at all, with a packed head."""
    require_package("ziglang")
    profile, run = profiles.load(board), 0
    for seed in range(60):
        graph = random_graph(seed)
        widths = {node.bits for node in graph.all(Lif) if any(isinstance(e, SpikeConv) for e in node.edges)}
        if graph.head.bits != bits or bits not in widths or run == 2:
            continue
        run += 1
        export(graph, profile, tmp_path / str(seed))
        elf = build(tmp_path / str(seed) / "c", profile).elf
        assert footprint_proof.findings(read_elf(elf), layout(graph, profile), profile) == []
        images = random_images(graph, 4)
        assert np.array_equal(
            UnicornRuntime(elf, profile, graph).scores(images), reference.scores(graph, images)
        )
    assert run == 2


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
