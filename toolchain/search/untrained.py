"""Scores of cells in untrained networks: the maps before the cell are computed once, then each cell alone.

The networks are ``SpikingNetwork`` with drawn weights and batch statistics, so what is scored is what training
would start from. Each weight seed has a batch of training images of its own; membrane potentials start at 0 for
every batch, and nothing is carried from one forward pass to the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.graph.nodes import Lif
from toolchain.graph.preprocessing import Pixels
from toolchain.network.spiking import SpikingNetwork
from toolchain.search.board import Board
from toolchain.search.sahd import sahd
from toolchain.search.scores import Scores, mean


class CellScorer:
    """Scores cells for one position of ``architecture``, whose earlier cells are decided.

    ``images``: uint8 [N, C, H, W] to draw batches from; ``seeds``: one network and one batch each.
    """

    def __init__(
        self,
        board: Board,
        architecture: Architecture,
        position: int,
        images: Pixels,
        batch: int,
        seeds: list[int],
    ) -> None:
        self._board = board
        self._before = architecture.before_cell(position)
        self._seeds = seeds
        graph = board.graph(self._before)
        self._source = graph.head.source
        self._inputs = []
        for seed in seeds:
            chosen = np.random.default_rng(seed).choice(len(images), min(batch, len(images)), replace=False)
            pixels = torch.from_numpy(images[np.sort(chosen)])
            with torch.no_grad():
                self._inputs.append(SpikingNetwork(graph, seed=seed).train().spikes(pixels)[self._source])

    def score(self, cell: Cell) -> Scores:
        """Mean score of ``cell`` over the seeds; its own maps count, those before and after it do not."""
        return mean([sahd(self._maps(cell, index)) for index in range(len(self._seeds))])

    def _maps(self, cell: Cell, index: int) -> list[torch.Tensor]:
        """Spikes of the cell's nodes, each [T, N, C, H, W], as the whole network with this seed computes them."""
        graph = self._board.graph(self._before.followed_by(cell))
        network = SpikingNetwork(graph, seed=self._seeds[index]).train()
        maps = {self._source: self._inputs[index]}
        before = {node.name for node in self._board.graph(self._before).nodes}
        with torch.no_grad():
            for node in graph.all(Lif):
                if node.name not in before:
                    maps[node.name] = network.nodes[node.name](maps)
        del maps[self._source]
        return list(maps.values())


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside: small maps gain nothing from more, and sums do not depend on how many."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
