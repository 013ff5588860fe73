"""The benchmark of screening: it counts what it says, and finds a verdict that differs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import screening
from toolchain.search.screening import Screen


def test_it_measures_both_boards(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(screening, "QUICK", 2000)
    monkeypatch.setattr(screening, "ONE_BY_ONE", 20)
    assert screening.main(["--quick", "--json"]) == 0
    boards = json.loads(capsys.readouterr().out)["boards"]
    assert [found["board"] for found in boards] == list(screening.BOARDS)
    for found in boards:
        assert found["architectures"] == 2000 and 0 < found["fit"] < 2000
        assert max(found["dropped"].values()) <= 2000 - found["fit"] <= sum(found["dropped"].values())
        assert found["speedup"] > 1
    assert screening.main(["--quick"]) == 0
    assert capsys.readouterr().out.count("verdicts compared, all equal") == 2


def test_almost_no_two_sizes_are_the_same() -> None:
    drawn = screening.draw(np.random.default_rng(1), 300)
    assert len({replace(one, blocks=()) for one in drawn}) > 250
    assert {len(one.cells) for one in drawn} == {1, 2, 3, 4}


def test_a_verdict_that_differs_is_an_error() -> None:
    board = screening.make_board("stm32f405")
    drawn = screening.draw(np.random.default_rng(2), 3)
    judged = Screen(board).judge(drawn)
    assert judged.sram_bytes is not None
    screening.compare(board.judge(drawn[1]), judged, 1)
    wrong = replace(judged, sram_bytes=judged.sram_bytes + 4)
    with pytest.raises(RuntimeError, match="architecture 1"):
        screening.compare(board.judge(drawn[1]), wrong, 1)
