from __future__ import annotations

import math

from toolchain.search.scores import Scores, mean


def test_mean_and_spread_over_seeds() -> None:
    assert mean([Scores(1.0, 4.0), Scores(3.0, 6.0)]) == Scores(2.0, 5.0, 1.0)
    assert mean([Scores(1.0, 4.0), Scores(-math.inf, 6.0)]) == Scores(-math.inf, 5.0, 0.0)
