from __future__ import annotations

from typing import get_args

import pytest

from toolchain.errors import InputError
from toolchain.schedules import Schedule, schedule


@pytest.mark.parametrize("name", get_args(Schedule))
def test_those_that_there_are(name: str) -> None:
    assert schedule(name, "x") == name


@pytest.mark.parametrize("name", ["", "Layers", None, 3, ["steps"]])
def test_no_others(name: object) -> None:
    with pytest.raises(InputError, match="x asks for the schedule .*; there are layers and steps"):
        schedule(name, "x")
