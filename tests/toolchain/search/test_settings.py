from __future__ import annotations

import pytest

from toolchain.errors import InputError
from toolchain.search.settings import SearchSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**31),
        ("operations", "34"),
        ("operations", "0"),
        ("operations", "0135"),
        ("bits", ()),
        ("bits", (3,)),
        ("bits", (8, 8)),
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
