"""The pool of candidates that train: few, within the budget, and unlike each other in what may matter.

The pool is stratified by kind of cell (how long its longest path of convolutions is), by time steps and by the
share of the board that a network takes. In each stratum the most promising size stands for the others. Two
references are always there: one direct 3x3 convolution, and the largest network that fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.search.candidates import Candidate
from toolchain.search.feasible import Feasible
from toolchain.search.prior import expected
from toolchain.search.space import LEAKS, Sizes

SHARES = (1 / 4, 1 / 2, 1.0)
"""Upper ends of the bands of the board's share: the narrowest limit decides what share a network takes."""

LEAK_VARIANTS = LEAKS[1:3]
"""Leaks that the most promising network is also tried with; they cost nothing."""


@dataclass(frozen=True)
class Kind:
    """Cells for the positions of a network, under a name; the last one also serves positions beyond."""

    name: str
    cells: tuple[Cell, ...]

    def of(self, sizes: Sizes) -> Architecture:
        """The network of ``sizes`` with these cells."""
        last = len(self.cells) - 1
        return sizes.architecture(*(self.cells[min(i, last)] for i in range(sizes.cells)))


@dataclass(frozen=True)
class _Member:
    """A fitting network of a kind, the chance that it is given, and the stratum that it stands in."""

    promise: float
    kind: str
    sizes: Sizes
    stratum: tuple[str, int, int]
    operations: int


def build_pool(feasible: Feasible, kinds: Sequence[Kind], count: int) -> list[Candidate]:
    """At most ``count`` candidates (at least the references), the most promising first within each round."""
    by_name = {kind.name: kind for kind in kinds}
    members = [member for kind in kinds for member in _members(feasible, kind)]
    members.sort(key=lambda each: (-each.promise, each.kind, each.sizes))
    chosen: dict[Architecture, tuple[str, ...]] = {}

    def take(architecture: Architecture, role: str) -> None:
        chosen[architecture] = (*chosen.get(architecture, ()), role)

    reference = next(each for each in members if each.kind == kinds[0].name)
    take(by_name[reference.kind].of(reference.sizes), kinds[0].name)
    largest = max(members, key=lambda each: (each.operations, each.promise))
    take(by_name[largest.kind].of(largest.sizes), "largest")
    for member in _by_strata(members):
        if len(chosen) >= count - len(LEAK_VARIANTS):
            break
        take(by_name[member.kind].of(member.sizes), member.kind)
    best = members[0]
    for leak in LEAK_VARIANTS:
        if len(chosen) < count:
            kept = by_name[best.kind].of(best.sizes)
            take(best.sizes.architecture(*kept.cells, leak=leak), "leak")
    return [
        Candidate(feasible.board.judge(each), tuple(dict.fromkeys(roles))) for each, roles in chosen.items()
    ]


def _members(feasible: Feasible, kind: Kind) -> Iterator[_Member]:
    """The sizes that fit with the cells of ``kind``."""
    every = feasible.sizes if kind.cells == (feasible.reserve,) else feasible.grid
    judged = feasible.screen.judge([kind.of(each) for each in every])
    for index in np.flatnonzero(judged.fits):
        sizes = every[index]
        band = int(np.searchsorted(SHARES, judged.share[index]))
        stratum = (kind.name, min(sizes.time_steps, 4), band)
        promise = expected(sizes, kind.cells[0], feasible.board.pixels)
        yield _Member(promise, kind.name, sizes, stratum, int(judged.operations[index]))


def _by_strata(members: Sequence[_Member]) -> Iterator[_Member]:
    """The best of each stratum, then the second best of each, and so on; each round the most promising first."""
    rounds: dict[tuple[str, int, int], int] = {}
    ranked = []
    for member in members:
        rounds[member.stratum] = rounds.get(member.stratum, 0) + 1
        ranked.append((rounds[member.stratum], member))
    for _, member in sorted(ranked, key=lambda pair: pair[0]):
        yield member
