"""The benchmark of the search, at a size that takes seconds: what it counts, compares and says."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import _sides, search
from toolchain.architecture.cells import distinct_cells

TINY = replace(search.QUICK, channels=2, side=8, images=12, batch=8, our_batch=6)


class Here(Executor):
    """Runs tasks at once in this process."""

    def __init__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*arguments, **named))
        return done


@pytest.fixture(autouse=True)
def _quick_and_alone(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("time.sleep", lambda _: None)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_both_sides_are_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(search, "QUICK", TINY)
    monkeypatch.setattr(search, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(search, "ENVIRONMENT", {})
    assert search.main(["--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"speedup_vs_snasnet", "per_candidate_speedup", "seconds"} <= found.keys()
    theirs, ours = found["snasnet"], found["ours"]
    assert (theirs["candidates"], theirs["timed"], theirs["batch"]) == (5000, 2, 8)
    assert theirs["neurons"] == [2 * 8 * 8, 4 * 4 * 4, 1024] and ours["neurons"] == theirs["neurons"][:2]
    assert ours["candidates"] == 2 * len(distinct_cells()) and len(ours["chosen"]) == 1
    # One of two repeats and one of two positions were timed: both sides are doubled.
    assert theirs["seconds"] == pytest.approx(theirs["seconds_per_candidate"] * 5000)
    key = "cpu_seconds" if "processor" in found["compared"] else "seconds"
    assert found["speedup_vs_snasnet"] == pytest.approx(theirs[key] / ours[key])
    assert "smoothed noise" in found["images"]


def test_the_second_position_is_searched_behind_the_first() -> None:
    extent = replace(TINY, positions=2, seeds=2, candidates=3)
    found = search.measure(extent, Here(), 2)
    first, second = found["ours"]["chosen"]
    cells = [str(cell) for cell in distinct_cells()]
    alone = _sides.ours(extent, [first], _sides.SEED, cells)
    assert alone[cells.index(second)] == max(alone) > min(alone)
    assert _sides.ours(extent, [], _sides.SEED, [second]) != [max(alone)]
    assert -1 <= found["kendall_tau"] <= 1 and found["four_seeds_seconds"] == 4 * found["seconds"]
    said = search._sentences(found)
    assert "extrapolated to all" in said and "twice the first" not in said and "batch 8" in said


@pytest.mark.parametrize("count", [1, 2, 5])
def test_shares_are_all_cells_once(count: int) -> None:
    parts = search.shares(count)
    assert sorted(sum(parts, [])) == sorted(map(str, distinct_cells())) and all(parts)
    assert max(map(len, parts)) < 1.5 * len(distinct_cells()) / count


def test_a_share_scores_as_the_whole_does() -> None:
    part = search.shares(300)[40]
    whole = dict(
        zip(map(str, distinct_cells()), _sides.ours(TINY, [], 0, [*map(str, distinct_cells())]), strict=True)
    )
    assert _sides.ours(TINY, [], 0, part) == [whole[cell] for cell in part]


def test_kendalls_tau() -> None:
    one = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    assert search.tau(one, one) == 1 and search.tau(one, {name: -score for name, score in one.items()}) == -1
    # Five pairs agree and one does not; with a tie, of the five pairs that both order all agree.
    assert search.tau(one, one | {"a": 2.5}) == pytest.approx(4 / 6)
    assert search.tau(one, one | {"a": 2.0}) == pytest.approx(5 / (5 * 6) ** 0.5)


def test_real_images(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for index in range(12):
            pixels = np.full((10, 10, 3), 20 * index, np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{index}.png")
    found = _sides.pictures(replace(TINY, data=str(tmp_path)))
    assert found.shape == (12, 3, 8, 8) and found.dtype == np.uint8
    smooth = _sides.pictures(TINY)
    assert smooth.shape == (12, 3, 8, 8) and np.array_equal(smooth, _sides.pictures(TINY))
    assert smooth.max() > 150 and smooth.min() < 100
