"""Searches that take seconds: trainings of a few steps, of few candidates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from toolchain.search import rounds, rungs


@contextmanager
def short_trainings() -> Iterator[None]:
    """Inside, pools have four candidates that train for a few steps; local workers do what they are told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rungs, "FEWEST_SEEN", 200)
        patch.setattr(rungs, "FEWEST", 4)
        patch.setattr(rounds, "SECONDS_PER_TRAINING_IMAGE", 1e-4)
        yield
