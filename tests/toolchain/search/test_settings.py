from __future__ import annotations

import pytest

from toolchain.errors import InputError
from toolchain.search.settings import FEWEST_CANDIDATES, MOST_CANDIDATES, SearchSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**31),
        ("candidates", 1.5),
        ("candidates", -1),
        ("batch", 1),
        ("weight_seeds", 0),
        ("weight_seeds", True),
        ("time_budget_s", 0.0),
        ("time_budget_s", float("nan")),
        ("time_budget_s", float("inf")),
    ],
)
def test_values_that_mean_nothing(field: str, value: object) -> None:
    with pytest.raises(InputError, match="search: "):
        SearchSettings(**{field: value})  # type: ignore[arg-type]


def test_large_networks_get_fewer_candidates_and_the_user_has_the_last_word() -> None:
    counts = [SearchSettings().candidates_for(10**power) for power in range(5, 11)]
    assert counts[0] == MOST_CANDIDATES and counts[-1] == FEWEST_CANDIDATES
    assert counts == sorted(counts, reverse=True)
    assert SearchSettings(candidates=7).candidates_for(10**12) == 7
