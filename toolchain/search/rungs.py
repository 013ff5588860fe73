"""How many candidates train for how long: a plan that a number of seconds pays for.

Seconds are those of one core of the machine that the coefficients were fitted on, so that a plan without a time
budget is the same on every machine; with one, ``toolchain.search.rounds`` says how fast this machine is.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.cost.operations import operations
from toolchain.graph.graph import Graph
from toolchain.search.finalists import Rung
from toolchain.search.trainings import Extent

SECONDS_PER_OPERATION = 6.5e-11
SECONDS_PER_UPDATE = 6.8e-9
SECONDS_PER_NODE = 3.7e-5
"""Seconds that an image seen in training takes on one core: per dense synaptic operation, per membrane update, and
per node, whose share of a batch's overhead is the same for any size. Fitted to 12 networks with 0.02 to 26 million
operations on a 2026 server core (AVX-512) in seconds of the processor, which they reproduce within 25 %."""

EVALUATED = 0.35
"""What an image that accuracy is measured on takes, in images trained: a forward pass without a backward one."""

FEWEST, MOST = 6, 18
"""Candidates in the pool."""

SEEN = 12_000
"""Images seen in the first rung: 240 steps, from which networks of different sizes can be told apart."""

FEWEST_SEEN, MOST_SEEN = 1_500, 20_000

LONGER = 3
"""The last rung trains so many times as long as the first."""

KEPT = 3
"""One candidate in so many reaches the last rung, at least two."""

SEEDS = 2
"""Trainings of each candidate on the last rung."""


def seconds_per_image(graph: Graph) -> float:
    """Core seconds that an image seen in the training of ``graph`` takes (estimate)."""
    counted = operations(graph)
    return (
        SECONDS_PER_OPERATION * counted.dense
        + SECONDS_PER_UPDATE * counted.membrane_updates
        + SECONDS_PER_NODE * len(graph.nodes)
    )


def pool_size(seconds: float, per_image_s: float) -> int:
    """Candidates that ``seconds`` pay for, if ``per_image_s`` is what an image takes on average."""
    lengths = 1 + LONGER * SEEDS / KEPT
    return min(MOST, max(FEWEST, int(seconds / (lengths * SEEN * per_image_s))))


def rungs(
    costs: Sequence[float], seconds: float, available: int, held_out: int, seeds: Sequence[int]
) -> tuple[Rung, ...]:
    """The rungs for candidates whose images take ``costs`` (seconds each).

    ``available`` images are there to train on, and every training is measured on ``held_out`` images. The first
    of ``seeds`` is the first rung's, the others the last one's. The whole costs about ``seconds``,
    unless that would be too little to tell candidates apart or more than is of use.
    """
    finalists = min(len(costs), max(2, len(costs) // KEPT))
    trainings = SEEDS * finalists / len(costs)
    measured = EVALUATED * held_out * (1 + trainings)
    first = (seconds / sum(costs) - measured) / (1 + LONGER * trainings)
    seen = round(min(MOST_SEEN, max(FEWEST_SEEN, first)))
    return (
        Rung(len(costs), Extent.of(seen, available), tuple(seeds[:1])),
        Rung(finalists, Extent.of(LONGER * seen, available), tuple(seeds[1 : 1 + SEEDS])),
    )
