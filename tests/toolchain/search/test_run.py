from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.data import write_bars
from tests.toolchain.search.short import short_trainings
from toolchain import profiles, runs
from toolchain.architecture.storage import load_architecture
from toolchain.architecture.text import parse
from toolchain.errors import InputError, OverBudgetError
from toolchain.runs import RunFolder
from toolchain.search import run as room
from toolchain.search.executors import Workers
from toolchain.search.journal import read_journal
from toolchain.search.run import begin_run, pick_run, plan_run, search_found, search_run
from toolchain.settings import DataSettings, LimitSettings, RunSettings, SearchSettings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSettings:
    file = tmp_path_factory.mktemp("data") / "bars.npz"
    return DataSettings(source=str(write_bars(file)))


def settings(data: DataSettings, **limits: int) -> RunSettings:
    return RunSettings(data=data, limits=LimitSettings(latency_ms=1.0, **limits))


@pytest.fixture(scope="module", autouse=True)
def short() -> Any:
    with short_trainings():
        yield


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def ended(data: DataSettings, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    profile, out = profiles.load("stm32f405"), tmp_path_factory.mktemp("ended") / "run"
    run, images = begin_run(profile, settings(data, flash_bytes=30_000), out=out, progress=quiet)
    search_run(run, images, workers=Workers(1), progress=quiet)
    return run


def test_a_run_folder_holds_what_was_asked_done_and_found(ended: RunFolder) -> None:
    found = search_found(ended)
    assert load_architecture(ended.architecture) == parse(found["architecture"])
    assert read_journal(ended.journal)[-1]["kind"] == "result"
    assert ended.budget().flash_bytes == 30_000
    assert ended.settings().data.sha256 == ended.dataset().sha256
    assert [each["id"] for each in found["trained"] if each["chosen"]] == [found["id"]]


def test_a_search_chooses_among_bits(data: DataSettings, tmp_path: Path) -> None:
    asked = RunSettings(
        data=data,
        limits=LimitSettings(latency_ms=1.0, flash_bytes=12_000),
        search=SearchSettings(bits="auto"),
    )
    profile = profiles.load("stm32f405")
    assert {each.bits for each in plan_run(profile, asked, progress=quiet).feasible.grid} == {8, 4}
    run, images = begin_run(profile, asked, out=tmp_path / "run", progress=quiet)
    search_run(run, images, workers=Workers(1), progress=quiet)
    trained = search_found(run)["trained"]
    assert {parse(each["architecture"]).bits for each in trained} == {8, 4}
    assert read_journal(run.journal)[0]["settings"]["bits"] == [8, 4]


def test_the_published_space_has_no_bits(data: DataSettings, tmp_path: Path) -> None:
    asked = RunSettings(data=data, search=SearchSettings(algorithm="snasnet", bits=4))
    with pytest.raises(InputError, match="leave --bits or --algorithm snasnet away"):
        begin_run(profiles.load("jetson_nano"), asked, out=tmp_path / "run", progress=quiet)


@pytest.mark.parametrize("error", [OverBudgetError, InputError])
def test_a_search_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, data: DataSettings, error: type[Exception]
) -> None:
    wanted = settings(data, flash_bytes=1024)
    if error is InputError:
        wanted = settings(data.model_copy(update={"source": str(tmp_path / "absent")}))
    with pytest.raises(error):
        begin_run(profiles.load("stm32f405"), wanted, out=tmp_path / "run", progress=quiet)
    assert not (tmp_path / "run").exists()


def test_an_interrupted_search_keeps_its_journal_and_goes_on(tmp_path: Path, data: DataSettings) -> None:
    said = list[str]()

    def interrupting(text: str) -> None:
        said.append(text)
        if text.startswith("rung 1"):
            raise KeyboardInterrupt

    run, images = begin_run(profiles.load("stm32f405"), settings(data), out=tmp_path / "run", progress=quiet)
    with pytest.raises(KeyboardInterrupt):
        search_run(run, images, workers=Workers(1), progress=interrupting)
    before = read_journal(run.journal)
    assert not run.architecture.exists() and not any(entry["kind"] == "result" for entry in before)
    with pytest.raises(InputError, match="go on with it: spikenas-deploy search --resume"):
        search_found(run)
    search_run(run, workers=Workers(1), progress=quiet)
    assert read_journal(run.journal)[: len(before)] == before
    assert run.architecture.exists() and search_found(run)["trained"]


def test_a_candidate_can_be_picked(tmp_path: Path, ended: RunFolder) -> None:
    candidates = search_found(ended)["trained"]
    other = next((each for each in candidates if not each["chosen"]), candidates[0])
    picked, found = pick_run(ended, other["id"][:6], out=tmp_path / "picked")
    assert load_architecture(picked.architecture) == parse(other["architecture"])
    assert found["id"] == other["id"] and picked.settings() == ended.settings()
    assert search_found(picked) == found
    for wrong in ("zzzz", ""):
        with pytest.raises(InputError, match="candidate"):
            pick_run(ended, wrong, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(InputError, match="picked, and no search to go on with"):
        search_run(picked, workers=Workers(1), progress=quiet)


def test_the_newest_run_need_not_have_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = runs.create(None, profiles.load("stm32f405"), RunSettings())
    assert runs.find(None, ended=False) == run
    with pytest.raises(InputError, match="no run under"):
        runs.find(None)


def test_without_data_it_says_that_this_is_a_demonstration() -> None:
    said = list[str]()
    plan = plan_run(profiles.load("jetson_nano"), RunSettings(), progress=said.append)
    assert said == [room.DEMONSTRATION] and plan.feasible.board.demonstration
