from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from toolchain import profiles, runs
from toolchain.errors import InputError
from toolchain.settings import DataSettings, LimitSettings, RunSettings, SearchSettings, TrainingSettings


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_settings_and_profile_come_back_as_they_were_given() -> None:
    settings = RunSettings(
        data=DataSettings(source="/images", size=32, channels="rgb"),
        limits=LimitSettings(flash_bytes=1000, latency_ms=2.5),
        search=SearchSettings(bits="auto"),
        training=TrainingSettings(epochs=7, seed=3),
    )
    profile = profiles.load("stm32f405")
    run = runs.create(Path("a"), profile, settings)
    assert run.settings() == settings
    assert run.profile() == profile
    assert run.budget().flash_bytes == 1000


def test_without_out_each_run_gets_a_folder_of_its_own_and_find_takes_the_newest() -> None:
    profile = profiles.load("stm32f405")
    first, second = (runs.create(None, profile, RunSettings()) for _ in range(2))
    assert first.path != second.path and first.path.parent == runs.RUNS
    for run in (first, second):
        run.architecture.write_text("{}")
    os.utime(first.settings_file, ns=(1, 1))
    assert runs.find(None) == second
    os.utime(second.settings_file, ns=(0, 0))
    assert runs.find(None) == first


def test_a_run_whose_search_was_cut_short_is_not_the_newest() -> None:
    profile = profiles.load("stm32f405")
    ended, cut_short = (runs.create(None, profile, RunSettings()) for _ in range(2))
    os.utime(ended.settings_file, ns=(1, 1))
    with pytest.raises(InputError, match="there is no run under runs/"):
        runs.find(None)
    ended.architecture.write_text("{}")
    assert runs.find(None) == ended
    assert runs.find(cut_short.path) == cut_short


def test_a_folder_with_something_in_it_is_not_taken() -> None:
    Path("full").mkdir()
    Path("full/keep.txt").write_text("mine")
    with pytest.raises(InputError, match="full exists and is not empty"):
        runs.create(Path("full"), profiles.load("stm32f405"), RunSettings())
    assert [path.name for path in Path("full").iterdir()] == ["keep.txt"]


def test_a_folder_whose_process_was_killed_before_there_was_a_run_is_taken() -> None:
    profile = profiles.load("stm32f405")
    begun = runs.create(Path("begun"), profile, RunSettings())
    begun.settings_file.rename(begun.path / ".run.toml.abcdefgh")
    assert runs.create(Path("begun"), profile, RunSettings()).settings() == RunSettings()
    with pytest.raises(InputError, match="begun exists and is not empty"):
        runs.create(Path("begun"), profile, RunSettings())


def test_a_folder_whose_search_was_interrupted_is_not_taken_but_gone_on_with() -> None:
    profile = profiles.load("stm32f405")
    runs.create(Path("cut"), profile, RunSettings()).journal.write_text("")
    with pytest.raises(
        InputError, match="cut holds a run that did not end; go on with it: .* search --resume cut"
    ):
        runs.create(Path("cut"), profile, RunSettings())


def test_a_folder_that_cannot_be_made_is_one_sentence() -> None:
    with pytest.raises(InputError, match="cannot write x"):
        runs.create(Path("x" * 300), profiles.load("stm32f405"), RunSettings())


def test_no_run_and_not_a_run_are_told_apart() -> None:
    with pytest.raises(InputError, match="there is no run under runs/"):
        runs.find(None)
    with pytest.raises(InputError, match="is not a run folder"):
        runs.find(Path("x" * 5000))
    Path("other").mkdir()
    with pytest.raises(InputError, match=r"other is not a run folder \(it has no run.toml\)"):
        runs.find(Path("other"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[data]\nsource = 5\n", "data.source"),
        ("[date]\n", "date"),
        ("[training]\ntime_budget_s = nan\n", "training.time_budget_s"),
        ("[training]\nseed = -1\n", "training.seed"),
        ("[search]\nbits = 3\n", "search.bits"),
        ("[search]\nseed = 99999999999\n", "search.seed"),
        ("not toml", "not valid TOML"),
        ("", None),
    ],
)
def test_broken_settings_are_named(text: str, says: str | None) -> None:
    run = runs.create(Path("a"), profiles.load("stm32f405"), RunSettings())
    run.settings_file.write_text(text)
    if says is None:
        assert run.settings() == RunSettings()
    else:
        with pytest.raises(InputError, match=says):
            run.settings()


def test_a_data_set_that_changed_is_refused() -> None:
    profile = profiles.load("stm32f405")
    data = runs.create(Path("a"), profile, RunSettings()).dataset()
    kept = runs.create(Path("b"), profile, RunSettings(data=DataSettings(sha256=data.sha256)))
    assert kept.dataset().sha256 == data.sha256
    changed = runs.create(Path("c"), profile, RunSettings(data=DataSettings(sha256="0" * 64)))
    with pytest.raises(InputError, match="is not what it was when c began"):
        changed.dataset()


def test_the_manifest_lists_every_artifact_with_size_and_hash() -> None:
    run = runs.create(Path("a"), profiles.load("stm32f405"), RunSettings())
    (run.artifacts / "c").mkdir(parents=True)
    (run.artifacts / "c" / "net.c").write_bytes(b"abc")
    run.write_manifest({"graph_sha256": "1"})
    manifest = json.loads(run.manifest.read_text())
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert manifest["artifacts"] == {"artifacts/c/net.c": {"size_bytes": 3, "sha256": sha256}}
    assert manifest["graph_sha256"] == "1" and "torch" in manifest["packages"]
