from __future__ import annotations

import torch

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.network.spiking import SpikingNetwork
from toolchain.search.scoring.score import score_cells
from toolchain.search.scoring.source import source_spikes

ARCHITECTURE = parse("t3 leak2 reset-subtract stem8/1 302013 stride8 003000 head-flatten")


def test_it_is_what_the_cell_at_the_position_reads() -> None:
    graph = board().graph(ARCHITECTURE.before_cell(1))
    pixels = bars().train.images[:10]
    found = source_spikes(graph, pixels, seed=7)
    whole = SpikingNetwork(board().graph(ARCHITECTURE), seed=7).train()
    with torch.no_grad():
        spikes = whole.spikes(torch.from_numpy(pixels))
    assert found.dtype == torch.uint8 and tuple(found.shape) == (3, 10, 8, 4, 4)
    assert torch.equal(found, spikes["shrink1"].to(torch.uint8))
    assert 0 < found.float().mean() < 1


def test_cells_can_be_scored_with_it() -> None:
    graph = board().graph(ARCHITECTURE.before_cell(0))
    source = source_spikes(graph, bars().train.images[:10], seed=7)
    found = score_cells(
        source,
        leak=ARCHITECTURE.leak,
        reset=ARCHITECTURE.reset,
        seed=7,
        cells=ARCHITECTURE.cells,
        device="cpu",
    )
    assert (found.sahd_2022_01 > 0).all() and found.neurons == 8 * 8 * 8
