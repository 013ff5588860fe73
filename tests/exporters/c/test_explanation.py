from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from benchmarks.code_sizes import network
from benchmarks.dense.board import board
from exporters.c import compilers, export
from exporters.c.cores import ARM, CODE, CORES
from exporters.c.explanation import explained
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.event_lists import calibrated, convolutions
from toolchain.cost.kernels import scratch_bytes
from toolchain.cost.layout import layout
from toolchain.graph.nodes import Input, Lif
from toolchain.profiles.schema import Core

BOARD = profiles.load("stm32f405")


@pytest.mark.parametrize("seed", range(8))
def test_what_is_told_is_what_is_exported(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    events = calibrated(graph, random_images(graph, 4))
    export(graph, BOARD, tmp_path, events=events)
    source = (tmp_path / "c" / "net.c").read_text()
    told = explained(graph, BOARD, events)
    assert [layer.layer for layer in told] == [n.name for n in graph.nodes if not isinstance(n, Input)]
    for layer in told:
        node = graph.node(layer.layer)
        assert f"{layer.function}(&net_{layer.layer}_node, " in source
        assert all((tmp_path / "c" / file).is_file() for file in layer.files)
        assert layer.scratch_bytes == (scratch_bytes(graph, node) if isinstance(node, Lif) else 0)
        assert (layer.weights_region == "flash") == (f"net_{layer.layer}_weights[" in source)
        assert (layer.share is not None) == (isinstance(node, Lif) and bool(convolutions(node)))
        if layer.share is not None:
            descriptor = source.partition(f" net_{layer.layer}_node = {{")[2].partition("\n};")[0]
            assert f".share = {int(layer.share)}," in descriptor
            assert layer.spike_rate is not None and 0 <= layer.both_rate <= layer.spike_rate <= 1


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m3", "cortex-m0plus"])
def test_the_hot_loop_is_in_the_file_that_is_named(core: Core, tmp_path: Path) -> None:
    """The others leave the function to it, or no image would link."""
    compiler, command = compilers.arm_command(None)
    graph, profile = network(1, bits=[8, 4, 2]), board(core)
    folder = export(graph, profile, tmp_path)[0].parent
    flags = [*ARM[compiler], f"-mcpu={CORES[core][compiler]}", *CODE]
    named = {
        (layer.files[-1], layer.bits) for layer in explained(graph, profile, None) if layer.share is not None
    }
    assert {bits for _, bits in named} == {8, 4, 2}
    for rows, bits in named:
        outcome = compilers.run([*command, *flags, "-c", rows, "-o", "rows.o"], folder)
        assert outcome.returncode == 0, outcome.stderr
        with (folder / "rows.o").open("rb") as stream:
            symbols = ELFFile(stream).get_section_by_name(".symtab")
            (found,) = symbols.get_symbol_by_name(f"snn_add_rows_{bits}")  # type: ignore[union-attr]
            assert found["st_info"]["type"] == "STT_FUNC"


def test_a_core_without_its_own_files_has_the_plain_ones() -> None:
    layers = explained(random_graph(1), profiles.load("esp32s3"), None)
    assert {layer.files for layer in layers[:2]} == {
        ("snn_pixel.c", "snn_dense.c"),
        ("snn_spike.c", "snn_rows.c"),
    }


def test_copied_weights_are_read_from_where_they_are_copied_to() -> None:
    graph = random_graph(1)
    sram = next(region for region in BOARD.regions if region.kind == "sram" and "buffers" in region.holds)
    regions = tuple(
        region.model_copy(update={"weight_copies_bytes": 1 << 20}) if region == sram else region
        for region in BOARD.regions
    )
    copying = BOARD.model_copy(update={"regions": regions})
    copies = layout(graph, copying).copies
    assert copies is not None
    found = {layer.layer: layer.weights_region for layer in explained(graph, copying, None)}
    assert found["node0"] == sram.name and f"{'node0'}_weights" in copies.symbols


def test_one_time_step_has_nothing_to_share() -> None:
    graph = replace(random_graph(1), time_steps=1)
    reasons = {layer.reason for layer in explained(graph, BOARD, None) if layer.share is False}
    assert reasons == {"there is one time step, and so nothing to share"}
