from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exporters.c import export
from exporters.c.explanation import explained
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.event_lists import calibrated, convolutions
from toolchain.cost.kernels import scratch_bytes
from toolchain.cost.layout import layout
from toolchain.graph.nodes import Input, Lif

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


def test_the_hot_loop_is_the_core_s() -> None:
    graph = random_graph(1)
    files = {
        board: explained(graph, profiles.load(board), None)[1].files for board in ("stm32f405", "rp2040")
    }
    assert files == {
        "stm32f405": ("snn_spike.c", "snn_rows_dsp.c"),
        "rp2040": ("snn_spike.c", "snn_rows.c"),
    }


def test_copied_weights_are_read_from_where_they_are_copied_to() -> None:
    graph = random_graph(1)
    sram = next(region for region in BOARD.regions if region.kind == "sram" and "buffers" in region.holds)
    regions = tuple(
        region.model_copy(update={"weight_copies_bytes": 1 << 20}) if region == sram else region
        for region in BOARD.regions
    )
    board = BOARD.model_copy(update={"regions": regions})
    copies = layout(graph, board).copies
    assert copies is not None
    found = {layer.layer: layer.weights_region for layer in explained(graph, board, None)}
    assert found["node0"] == sram.name and f"{'node0'}_weights" in copies.symbols


def test_one_time_step_has_nothing_to_share() -> None:
    graph = replace(random_graph(1), time_steps=1)
    reasons = {layer.reason for layer in explained(graph, BOARD, None) if layer.share is False}
    assert reasons == {"there is one time step, and so nothing to share"}
