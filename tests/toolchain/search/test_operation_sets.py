from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain import profiles
from toolchain.architecture.text import parse
from toolchain.errors import OverBudgetError
from toolchain.files import read_toml
from toolchain.search import operation_sets as room
from toolchain.search.impact.noise import WITHIN
from toolchain.search.operation_sets import CLASSES, FILE, board_class, default_operations, operations_for
from toolchain.search.settings import OPERATIONS, SearchSettings

EVIDENCE = [(name, each) for name in CLASSES for each in read_toml(FILE)[name]["evidence"]]


@pytest.mark.parametrize("name", profiles.available())
def test_every_board_has_operations_that_a_search_takes(name: str) -> None:
    profile = profiles.load(name)
    assert SearchSettings(operations=default_operations(profile))
    assert board_class(profile) == ("microcontroller" if profile.core else "linux")


@pytest.mark.parametrize("name", CLASSES)
def test_an_operation_is_missing_only_where_every_analysis_let_it_go(name: str) -> None:
    found = read_toml(FILE)[name]
    wanted = {digit for each in found["evidence"] for digit in each["operations"]} or set(OPERATIONS)
    assert set(found["operations"]) == wanted


@pytest.mark.parametrize(("name", "found"), EVIDENCE)
def test_the_evidence_bears_out_what_it_says(name: str, found: dict[str, Any]) -> None:
    assert board_class(profiles.load(found["board"])) == name
    assert found["seeds"] >= 3 and found["steps"] >= 100 and not {"digits"} & {found["data"]}
    single = [each for each in found["without"] if len(each["removed"]) == 1]
    assert len(single) == 4
    for each in found["without"]:
        assert each["difference"] == pytest.approx(each["accuracy"] - found["accuracy"], abs=1.1e-4)
        cheap = each["more_bytes"] <= 0 and each["more_operations"] <= 0
        near = each["difference"] >= -WITHIN * each["standard_error"]
        assert (each["verdict"] == "costs nothing") == (cheap and near)
        assert parse(each["network"])
    gone = {digit for digit in OPERATIONS if digit not in found["operations"]}
    together = [each for each in found["without"] if len(each["removed"]) == len(gone)]
    assert not gone or any(each["verdict"] == "costs nothing" for each in together)


def test_the_narrowest_budgets_have_all_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "default_operations", lambda profile: "03")
    data = bars()
    assert operations_for(board(data=data)) == "03"
    # In 5,200 bytes of flash no direct 3x3 convolution fits, and one of 1x1 does.
    assert operations_for(board(data=data, flash_bytes=5_200)) == OPERATIONS
    with pytest.raises(OverBudgetError):
        operations_for(board(data=data, flash_bytes=1_024))


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from toolchain.search.operation_sets import default_operations\n"
        "from toolchain.profiles import load\n"
        "assert default_operations(load('jetson_nano')) and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
