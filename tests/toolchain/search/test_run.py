from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.data import bars
from toolchain import profiles
from toolchain.architecture.storage import load_architecture
from toolchain.errors import InputError, OverBudgetError
from toolchain.runs import DataSettings, LimitSettings, RunSettings, SearchSettings
from toolchain.search import run as room
from toolchain.search.journal import read_journal
from toolchain.search.run import plan_run, search_run


@pytest.fixture
def data(tmp_path: Path) -> DataSettings:
    every = bars(150)
    images = np.concatenate([every.train.images, every.validation.images, every.test.images])
    targets = np.concatenate([every.train.targets, every.validation.targets, every.test.targets])
    np.savez(tmp_path / "bars.npz", images=images, labels=targets)
    return DataSettings(source=str(tmp_path / "bars.npz"))


def settings(data: DataSettings, **limits: int) -> RunSettings:
    return RunSettings(data=data, limits=LimitSettings(**limits), search=SearchSettings(time_budget_s=0.5))


def test_a_run_folder_holds_what_was_asked_done_and_found(tmp_path: Path, data: DataSettings) -> None:
    profile, said = profiles.load("stm32f405"), list[str]()
    run, result = search_run(
        profile, settings(data, flash_bytes=50_000), out=tmp_path / "run", progress=said.append
    )
    assert load_architecture(run.architecture) == result.architecture
    assert read_journal(run.journal)[-1]["kind"] == "result"
    assert run.profile() == profile and run.budget().flash_bytes == 50_000
    assert run.settings().data.sha256 == run.dataset().sha256
    assert said and not any("demonstration" in line for line in said)


@pytest.mark.parametrize("error", [OverBudgetError, InputError])
def test_a_search_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, data: DataSettings, error: type[Exception]
) -> None:
    wanted = settings(data, flash_bytes=1024)
    if error is InputError:
        wanted = settings(data.model_copy(update={"source": str(tmp_path / "absent")}))
    with pytest.raises(error):
        search_run(profiles.load("stm32f405"), wanted, out=tmp_path / "run", progress=lambda _: None)
    assert not (tmp_path / "run").exists()


def test_an_interrupted_search_keeps_its_journal_and_says_where(
    tmp_path: Path, data: DataSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()

    def progress(text: str) -> None:
        said.append(text)
        if text.startswith("cell 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_run(profiles.load("stm32f405"), settings(data), out=tmp_path / "run", progress=progress)
    entries = read_journal(tmp_path / "run" / "search.jsonl")
    assert any("scores" in entry for entry in entries)
    assert said[-1] == f"interrupted; the candidates scored so far are in {tmp_path / 'run' / 'search.jsonl'}"
    assert not (tmp_path / "run" / "architecture.json").exists()


def test_without_data_it_says_that_this_is_a_demonstration() -> None:
    said = list[str]()
    plan = plan_run(profiles.load("jetson_nano"), RunSettings(), progress=said.append)
    assert said == [room.DEMONSTRATION] and plan.sizing.board.demonstration
