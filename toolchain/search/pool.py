"""The pool of candidates that train: few, within the budget, and unlike each other in what may matter.

The pool is stratified by kind of cell (how long its longest path of convolutions is), by time steps, by the
resolution and number of its cells, by the bits of a weight, and by the share of the board that a network takes. In
each stratum the most promising size stands for the others. The kinds take turns, and every second turn is the
reference's, one direct 3x3 convolution, which in trainings was seldom beaten. The largest network that fits is always
there.
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
from toolchain.search.rungs import SECONDS_PER_OPERATION, seconds_per_image
from toolchain.search.space import LEAKS, Sizes

SHARES = (1 / 4, 1 / 2, 1.0)
"""Upper ends of the bands of the board's share: the narrowest limit decides what share a network takes."""

LONG = 4
"""Time steps from which networks are one stratum."""

LEAK_VARIANTS = LEAKS[1:3]
"""Leaks that the most promising network is also tried with; they cost nothing."""

ROOMY = 12
"""Candidates from which a pool has room for other leaks."""

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
    stratum: tuple[int, ...]
    operations: int


def build_pool(feasible: Feasible, kinds: Sequence[Kind], count: int) -> list[Candidate]:
    """About ``count`` candidates, at least the references; the first of ``kinds`` is the reference's."""
    chosen: dict[Architecture, list[str]] = {}

    def take(kind: Kind, member: _Member, role: str) -> None:
        chosen.setdefault(kind.of(member.sizes), []).append(role)

    variants = LEAK_VARIANTS if count >= ROOMY else ()
    best = feasible.best
    most_s = DEAREST * seconds_per_image(feasible.board.graph(best))

    def affordable(pair: tuple[Kind, _Member]) -> bool:
        kind, member = pair
        if member.operations * SECONDS_PER_OPERATION > most_s:
            return False  # without building its graph: there may be thousands
        return seconds_per_image(feasible.board.graph(kind.of(member.sizes))) <= most_s

    members = {kind: _members(feasible, kind) for kind in kinds}
    chosen[best] = [kinds[0].name]
    by_operations = sorted(
        ((kind, member) for kind in kinds for member in members[kind]),
        key=lambda pair: (pair[1].operations, pair[1].promise),
        reverse=True,
    )
    largest = next(filter(affordable, by_operations), None)
    if largest:
        take(*largest, "largest")
    for kind, member in _turns({kind: _by_strata(members[kind]) for kind in kinds}):
        if len(chosen) >= count - len(variants):
            break
        if affordable((kind, member)):
            take(kind, member, kind.name)
    for leak in variants:
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
        band = int(np.searchsorted(SHARES, judged.share[index]))
        side = sizes.first_side(feasible.board.pixels)
        stratum = min(sizes.time_steps, LONG), sizes.cells, side, band, sizes.bits
        promise = expected(sizes, feasible.board.pixels)
        found.append(_Member(sizes, promise, stratum, int(judged.operations[index])))
    return sorted(found, key=lambda each: (-each.promise, each.sizes))


def _turns(kinds: dict[Kind, Iterator[_Member]]) -> Iterator[tuple[Kind, _Member]]:
    """Members of the kinds in turn, every second one of the first kind, until all have run out."""
    reference, *others = kinds
    order = [kind for other in others for kind in (reference, other)] or [reference]
    while kinds:
        for kind in order:
            member = next(kinds.get(kind, iter(())), None)
            if member is None:
                kinds.pop(kind, None)
            else:
                yield kind, member


def _by_strata(members: Sequence[_Member]) -> Iterator[_Member]:
    """The best of each stratum, then the second best of each, and so on; each round the most promising first."""
    rounds: dict[tuple[int, ...], int] = {}
    ranked = []
    for member in members:
        rounds[member.stratum] = rounds.get(member.stratum, 0) + 1
        ranked.append((rounds[member.stratum], member))
    for _, member in sorted(ranked, key=lambda pair: pair[0]):
        yield member
