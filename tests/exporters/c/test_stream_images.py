"""Images of networks that run by time steps: as planned to the byte, and the reference's scores on emulated cores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.code_sizes import linked_code_bytes, network
from exporters.c import compilers, export
from exporters.c.build import build
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.code_size import Compiler, code_bytes, measured_version
from toolchain.cost.layout import layout
from toolchain.cost.stack_size import stack_bytes
from toolchain.graph import reference
from toolchain.verification import footprint_proof
from toolchain.verification.elf import read_elf
from toolchain.verification.runtimes.unicorn import UnicornRuntime
from toolchain.verification.stack_bound import stack_bound

IMAGES = 4
SEEDS = {"stm32f405": (3, 5), "rp2040": (7, 9)}


@pytest.fixture(params=["zig", "gcc"])
def compiler(
    request: pytest.FixtureRequest, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> Compiler:
    chosen: Compiler = request.param
    require_tool("arm-none-eabi-gcc") if chosen == "gcc" else require_package("ziglang")
    return chosen


@pytest.mark.parametrize(
    ("board", "seed"), [(board, seed) for board, seeds in SEEDS.items() for seed in seeds]
)
def test_it_is_as_planned_and_gives_the_reference_s_scores(
    tmp_path: Path, board: str, seed: int, compiler: Compiler, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    graph, profile = random_graph(seed), profiles.load(board)
    export(graph, profile, tmp_path, schedule="steps")
    elf = build(tmp_path / "c", profile, compiler).elf
    plan = layout(graph, profile, "steps")
    assert footprint_proof.findings(read_elf(elf), plan, profile) == []
    assert stack_bound(read_elf(elf)).bytes <= stack_bytes(profile, "steps")
    runtime = UnicornRuntime(elf, profile, graph)
    images = random_images(graph, IMAGES, seed=seed)
    assert np.array_equal(runtime.scores(images), reference.scores(graph, images))
    found = runtime.inspect(images[2])
    assert footprint_proof.arena_findings(plan, found.written) == []
    assert found.strays == () and found.repeatable


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_no_image_is_larger_than_predicted(core: str, compiler: Compiler) -> None:
    if compilers.version(compiler) != measured_version(compiler):
        pytest.skip("sizes were measured with another compiler")
    profile = profiles.load("stm32h743").model_copy(update={"core": core})
    graph = network(2, 1, bits=[4, 0], head_bits=4)
    linked = linked_code_bytes(graph, profile, compiler, "steps")
    assert linked <= code_bytes(graph, core, compiler, "steps") <= linked + 96


def test_the_memory_of_a_stream_is_what_it_keeps_and_one_time_step(
    require_package: Callable[[str], None],
) -> None:
    """Of this network: 10 steps of spikes would take more than the potentials."""
    profile, graph = profiles.load("stm32f405"), network(2)
    by_layers, by_steps = layout(graph, profile), layout(graph, profile, "steps")
    assert by_steps.constants == by_layers.constants and by_steps.mailbox_bytes == by_layers.mailbox_bytes
    potentials = 3 * 64 * 16 * 2
    # Two maps of one time step at once, the longest list of events, the counts and the number of steps.
    assert by_steps.arena_bytes == potentials + 2 * 64 * 2 + 7 * 8 + 16 * 2 + 4
