"""Where a cell's neurons sit, and so what its nodes hold, what its edges carry and which maps are scored.

- ``NodeLif``, the deployable form: every node sums its currents and fires, so every map is spikes.
- ``EdgeLif``, the published form (SNASNet): nodes hold real values, every convolution fires its input first, and
  skips and pools carry values. All convolutions out of a node see the same spikes, since their neurons have the
  same input and no weights of their own: they are computed once and scored once a convolution.

In the published form a neuron takes v <- v + (x - v) / tau, which is v <- kept * v + (1 - kept) * x with
kept = 1 - 1 / tau; tau = 4 / 3 is ``Leak("shift", 2)``. Values are held as the int16 currents
(1 - kept) * x that they are to a neuron, in the units of ``fixed_point``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from toolchain.architecture.cells import EDGES, Cell
from toolchain.graph.nodes import Leak
from toolchain.search.scoring.backend import Backend, row
from toolchain.search.scoring.fixed_point import MAX_CURRENT, THRESHOLD, Dynamics
from toolchain.search.scoring.weights import KERNELS

PlacementName = Literal["node", "edge"]
Reset = Literal["subtract", "zero"]

PUBLISHED_LEAK = Leak("shift", 2)
"""tau = 4 / 3 of the published networks, whose reset is to zero."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node with one history: ``spikes`` uint8 [T, B, N], and what its skips and pools pass on.

    ``carried`` is the spikes themselves, or the node's values as a table int16 [T, B, R].
    """

    spikes: Tensor
    carried: Tensor


class Placement(Protocol):
    """The differences between the two forms."""

    dynamics: Dynamics

    unit: float
    """Current that stands for 1.0."""

    skip: int
    """Current that a skip makes of 1 in ``carried``."""

    window: float
    """What a pool divides the sum of ``carried`` over its window by to get a current."""

    def source(self, maps: Tensor, backend: Backend) -> Node:
        """Node 0 from the position's input, [T, B, N]."""

    def node(self, drive: Tensor, neurons: int, backend: Backend) -> Node:
        """A node whose edges' currents sum to the table ``drive``."""

    def times_scored(self, cell: Cell) -> tuple[int, int, int]:
        """How many of the maps that the cell is scored by are the spikes of node 0, 1 and 2."""


class NodeLif:
    """Spikes at the nodes."""

    unit = float(THRESHOLD)
    skip = THRESHOLD
    window = 8 / THRESHOLD  # nine spikes are divided by eight, as in ``toolchain.graph.nodes.Pool``

    def __init__(self, leak: Leak, reset: Reset) -> None:
        self.dynamics = Dynamics.of(leak, reset)

    def source(self, maps: Tensor, backend: Backend) -> Node:
        spikes = maps.to(torch.uint8)
        return Node(spikes, spikes)

    def node(self, drive: Tensor, neurons: int, backend: Backend) -> Node:
        spikes = backend.fire(drive, self.dynamics, neurons)
        return Node(spikes, spikes)

    def times_scored(self, cell: Cell) -> tuple[int, int, int]:
        return 0, int(1 in cell.nodes), int(2 in cell.nodes)


class EdgeLif:
    """Real values at the nodes, spikes in front of convolutions."""

    skip = 1
    window = 9.0

    def __init__(self, leak: Leak, reset: Reset) -> None:
        self.dynamics = Dynamics.of(leak, reset)
        self.unit = THRESHOLD * (1.0 if leak.form == "none" else 1 - leak.kept)

    def source(self, maps: Tensor, backend: Backend) -> Node:
        values = maps.float().mul(self.unit).round_().clamp_(-MAX_CURRENT, MAX_CURRENT)
        drive = torch.zeros((*maps.shape[:2], row(maps.shape[2])), dtype=torch.int16, device=maps.device)
        drive[..., : maps.shape[2]] = values.to(torch.int16)
        return self.node(drive, maps.shape[2], backend)

    def node(self, drive: Tensor, neurons: int, backend: Backend) -> Node:
        return Node(backend.fire(drive, self.dynamics, neurons), drive)

    def times_scored(self, cell: Cell) -> tuple[int, int, int]:
        operations = zip(EDGES, cell.operations, strict=True)
        convolved = [source for (source, _), operation in operations if operation in KERNELS]
        return convolved.count(0), convolved.count(1), convolved.count(2)


PLACEMENTS: dict[str, type[NodeLif] | type[EdgeLif]] = {"node": NodeLif, "edge": EdgeLif}
