from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.cells import Cell
from toolchain.architecture.text import parse
from toolchain.network.spiking import SpikingNetwork
from toolchain.search.sahd import sahd
from toolchain.search.scores import mean
from toolchain.search.untrained import CellScorer, one_thread

LINE = "t3 leak2 reset-subtract stem8/1 302013 stride8 003000 head-flatten"
SEEDS = [11, 12]


def scorer(position: int, seeds: list[int] = SEEDS) -> CellScorer:
    return CellScorer(board(), parse(LINE), position, bars().train.images, 10, seeds)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("text", ["003000", "301243", "004000", "214342"])
def test_scores_are_those_of_the_whole_network(position: int, text: str) -> None:
    """Evaluate the network up to the cell from its pixels, without anything computed beforehand."""
    cells = list(parse(LINE).cells)
    cells[position] = Cell.parse(text)
    whole = parse(LINE).with_cells(tuple(cells))
    images, found = bars().train.images, []
    for seed in SEEDS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(images), 10, replace=False))
        until = whole.before_cell(position).followed_by(cells[position])
        network = SpikingNetwork(board().graph(until), seed=seed).train()
        with torch.no_grad():
            spikes = network.spikes(torch.from_numpy(images[chosen]))
        found.append(sahd([spikes[f"cell{position}_node{node}"] for node in cells[position].nodes]))
    assert scorer(position).score(cells[position]) == mean(found)


def test_nothing_is_carried_from_one_cell_to_the_next() -> None:
    cells = [Cell.parse(text) for text in ("003000", "333333", "001000")]
    together = scorer(1)
    forward = [together.score(cell) for cell in cells]
    backward = [together.score(cell) for cell in reversed(cells)][::-1]
    alone = [scorer(1).score(cell) for cell in cells]
    assert forward == backward == alone


def test_seeds_decide() -> None:
    cell = Cell.parse("301203")
    one, other = (scorer(0, [seed]).score(cell) for seed in (1, 2))
    both = scorer(0, [1, 2]).score(cell)
    assert one != other
    assert both.sahd_2022_01 == pytest.approx((one.sahd_2022_01 + other.sahd_2022_01) / 2)
    assert both.spread == pytest.approx(abs(one.sahd_2022_01 - other.sahd_2022_01) / 2)


def test_a_batch_is_no_larger_than_the_data() -> None:
    large = CellScorer(board(), parse(LINE), 0, bars().train.images[:4], 32, [0])
    assert large.score(Cell.parse("003000")).sahd_2022_01 > 0


def test_the_process_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
