"""Which cells share what: cells grouped by the map at node 2, the only thing that costs convolutions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from toolchain.architecture.cells import Cell, Operation


@dataclass(frozen=True, order=True)
class Prefix:
    """What node 2 depends on: the operations on the edges 01, 12 and 02. All 0: the cell has no node 2.

    Node 1 matters to node 2 only through the edge 12, so without that edge ``first`` is 0 here, also in cells
    that have a node 1.
    """

    first: Operation
    between: Operation
    second: Operation

    @classmethod
    def of(cls, cell: Cell) -> Prefix:
        """The prefix of ``cell``."""
        first, second, _, between, _, _ = cell.operations
        return cls(first if between else Operation.ZEROIZE, between, second)

    @property
    def exists(self) -> bool:
        """Whether there is a node 2."""
        return bool(self.between or self.second)


def by_prefix(cells: Iterable[Cell]) -> dict[Prefix, list[int]]:
    """Indices of the cells that share each prefix, in an order that keeps prefixes with one node 1 together."""
    groups: dict[Prefix, list[int]] = defaultdict(list)
    for index, cell in enumerate(cells):
        groups[Prefix.of(cell)].append(index)
    return dict(sorted(groups.items()))
