"""The pool of candidates that train: few, within the budget, and unlike each other in what may matter.

The pool is stratified by kind of cell (how long its longest path of convolutions is), by time steps and by the
share of the board that a network takes. In each stratum the most promising size stands for the others, and the
kinds take turns. Two references are always there: one direct 3x3 convolution, and the largest network that fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import Cell
from toolchain.search.candidates import Candidate
from toolchain.search.feasible import Feasible
from toolchain.search.prior import expected
from toolchain.search.rungs import seconds_per_image
from toolchain.search.space import LEAKS, Sizes

SHARES = (1 / 4, 1 / 2, 1.0)
"""Upper ends of the bands of the board's share: the narrowest limit decides what share a network takes."""

LONG = 4
"""Time steps from which networks are one stratum."""

LEAK_VARIANTS = LEAKS[1:3]
"""Leaks that the most promising network is also tried with, last; they cost nothing."""

DEAREST = 2.0
"""A candidate may take at most so many times the training of the most promising one: it would starve the others."""


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
    """A network of a kind that fits: its sizes, what they promise, and its stratum of the kind."""

    sizes: Sizes
    promise: float
    stratum: tuple[int, int]
    operations: int


def build_pool(feasible: Feasible, kinds: Sequence[Kind], count: int) -> list[Candidate]:
    """About ``count`` candidates, at least the references; the first of ``kinds`` is the reference's."""
    chosen: dict[Architecture, list[str]] = {}

    def take(kind: Kind, member: _Member, role: str) -> None:
        chosen.setdefault(kind.of(member.sizes), []).append(role)

    best = feasible.best
    most_s = DEAREST * seconds_per_image(feasible.board.graph(best))
    members = {kind: _members(feasible, kind) for kind in kinds}
    largest = max(
        ((kind, member) for kind in kinds for member in members[kind]),
        key=lambda pair: (pair[1].operations, pair[1].promise),
    )
    take(kinds[0], members[kinds[0]][0], kinds[0].name)
    take(*largest, "largest")
    turns = zip_longest(*(_by_strata(members[kind]) for kind in kinds))
    for kind, member in ((kind, each) for turn in turns for kind, each in zip(kinds, turn, strict=True)):
        if len(chosen) >= count - len(LEAK_VARIANTS):
            break
        if member and seconds_per_image(feasible.board.graph(kind.of(member.sizes))) <= most_s:
            take(kind, member, kind.name)
    for leak in LEAK_VARIANTS:
        if len(chosen) < count:
            chosen.setdefault(feasible.sizes[0].architecture(*best.cells, leak=leak), []).append("leak")
    return [
        Candidate(feasible.board.judge(architecture), tuple(dict.fromkeys(roles)))
        for architecture, roles in chosen.items()
    ]


def _members(feasible: Feasible, kind: Kind) -> list[_Member]:
    """The sizes that fit with the cells of ``kind``, the most promising first."""
    judged = feasible.screen.judge([kind.of(each) for each in feasible.grid])
    found = []
    for index in np.flatnonzero(judged.fits):
        sizes = feasible.grid[index]
        stratum = min(sizes.time_steps, LONG), int(np.searchsorted(SHARES, judged.share[index]))
        promise = expected(sizes, feasible.board.pixels)
        found.append(_Member(sizes, promise, stratum, int(judged.operations[index])))
    return sorted(found, key=lambda each: (-each.promise, each.sizes))


def _by_strata(members: Sequence[_Member]) -> Iterator[_Member]:
    """The best of each stratum, then the second best of each, and so on; each round the most promising first."""
    rounds: dict[tuple[int, int], int] = {}
    ranked = []
    for member in members:
        rounds[member.stratum] = rounds.get(member.stratum, 0) + 1
        ranked.append((rounds[member.stratum], member))
    for _, member in sorted(ranked, key=lambda pair: pair[0]):
        yield member
