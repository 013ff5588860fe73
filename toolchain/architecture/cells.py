"""Cells: four nodes, an operation on each of the six forward edges (the NAS-Bench-201 form used by SNASNet).

A matrix is written as six digits, the operations of the edges 01, 02, 03, 12, 13, 23 in this order, where
``01`` runs from node 0 (the cell's input) to node 1 and node 3 is the output. ``003000`` is one direct 3x3
convolution. Of the 5^6 = 15,625 matrices 12,500 have an operation on the direct edge 03, as the published
space demands; without their dead branches 7,556 of these are distinct, and 7,012 when the names of nodes 1
and 2 do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import product

from toolchain.errors import InputError

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""(from, to) of the six digits."""

OUTPUT = 3
"""The node that the next block reads."""

_DIRECT = EDGES.index((0, OUTPUT))
_BETWEEN = EDGES.index((1, 2))
_SWAPPED = (1, 0, 2, 3, 5, 4)  # where the edges go when nodes 1 and 2 change places


class Operation(IntEnum):
    """What an edge does to the spikes of its source; the value is the digit in a cell's text."""

    ZEROIZE = 0
    SKIP = 1
    CONV1X1 = 2
    CONV3X3 = 3
    AVGPOOL3X3 = 4


Matrix = tuple[Operation, ...]
"""Operations of the six ``EDGES``."""


@dataclass(frozen=True, order=True)
class Cell:
    """One cell of the space, without dead branches; raises ``InputError`` for any other matrix.

    ``Cell.parse`` removes dead branches instead of refusing them. ``str(cell)`` is its six digits.
    """

    operations: Matrix

    def __post_init__(self) -> None:
        if len(self.operations) != len(EDGES) or self.operations[_DIRECT] == Operation.ZEROIZE:
            raise InputError(
                f"cell {self} is not in the space: it needs six digits of which the third, the operation from"
                " the cell's input straight to its output, is not 0"
            )
        pruned = canonical(self.operations)
        if pruned != self.operations:
            raise InputError(f"cell {self} has branches that lead nowhere; without them it is {Cell(pruned)}")

    def __str__(self) -> str:
        return "".join(str(int(operation)) for operation in self.operations)

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read six digits and prune dead branches; raises ``InputError`` if the cell is not in the space."""
        if not re.fullmatch("[0-4]{6}", text, re.ASCII):
            raise InputError(f"cell {text[:40]!r} is not six digits from 0 to 4, such as 003000")
        return cls(canonical(tuple(Operation(int(digit)) for digit in text)))

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that hold neurons, in order, the output last."""
        return tuple(node for node in (1, 2, OUTPUT) if any(True for _ in self.into(node)))

    def into(self, node: int) -> Iterator[tuple[int, Operation]]:
        """Yield (source node, operation) of each edge that feeds ``node``."""
        for (source, target), operation in zip(EDGES, self.operations, strict=True):
            if target == node and operation != Operation.ZEROIZE:
                yield source, operation

    @property
    def representative(self) -> Cell:
        """The one cell that stands for this and for the same cell with nodes 1 and 2 swapped."""
        if self.operations[_BETWEEN] != Operation.ZEROIZE:
            return self
        return min(self, Cell(tuple(self.operations[index] for index in _SWAPPED)))

    def weights(self, channels: int) -> int:
        """Number of convolution weights of the cell at this width."""
        kernels = {Operation.CONV1X1: 1, Operation.CONV3X3: 9}
        return channels**2 * sum(kernels.get(operation, 0) for operation in self.operations)


def canonical(matrix: Matrix) -> Matrix:
    """Zeroize the edges of nodes that lie on no path from input to output, until nothing changes."""
    while True:
        fed = {0} | {target for (_, target), operation in zip(EDGES, matrix, strict=True) if operation}
        read = {OUTPUT} | {source for (source, _), operation in zip(EDGES, matrix, strict=True) if operation}
        alive = fed & read
        pruned = tuple(
            operation if source in alive and target in alive else Operation.ZEROIZE
            for (source, target), operation in zip(EDGES, matrix, strict=True)
        )
        if pruned == matrix:
            return matrix
        matrix = pruned


def matrices() -> Iterator[Matrix]:
    """Yield all 15,625 assignments of operations to edges."""
    return product(Operation, repeat=len(EDGES))


@lru_cache(maxsize=1)
def canonical_cells() -> tuple[Cell, ...]:
    """The 7,556 distinct valid cells, sorted."""
    valid = (matrix for matrix in matrices() if matrix[_DIRECT] != Operation.ZEROIZE)
    return tuple(Cell(matrix) for matrix in sorted({canonical(matrix) for matrix in valid}))


@lru_cache(maxsize=1)
def distinct_cells() -> tuple[Cell, ...]:
    """The 7,012 cells that remain when nodes 1 and 2 may change places, sorted: what a search enumerates."""
    return tuple(sorted({cell.representative for cell in canonical_cells()}))
