"""Trained candidates for tests, without training."""

from __future__ import annotations

import math

from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.search.candidates import Candidate, Trained
from toolchain.search.trainings import Extent, Outcome

EXTENT = Extent((900, 300), (1, 1))


def trained(channels: int, *accuracies: float, rung: int = 0, operations: int = 1000) -> Trained:
    """A network of so many channels (more take more bytes) with these accuracies on 10,000 images."""
    line = f"t2 leak2 reset-subtract stem{channels}/2 003000 head-flatten"
    outcomes = [
        Outcome(share, math.sqrt(share * (1 - share) / 10_000), 10_000, operations, 1.0)
        for share in accuracies
    ]
    return Trained(Candidate(board().judge(parse(line))), EXTENT, rung, outcomes)
