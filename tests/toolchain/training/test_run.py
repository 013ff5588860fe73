from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cost.footprint import footprint
from toolchain.datasets.dataset import Scale
from toolchain.errors import InputError, OverBudgetError
from toolchain.graph import reference
from toolchain.graph.storage import load_graph
from toolchain.graph.widths import narrowable
from toolchain.profiles.budget import budget
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings, TrainingSettings
from toolchain.training.run import finish_training, train_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    settings = RunSettings(data=DataSettings(limit=200), training=TrainingSettings(epochs=2))
    folder = runs.create(tmp_path / "run", profiles.load("stm32f405"), settings)
    save_architecture(parse(TEXT), folder.architecture)
    return folder


TEXT = "t2 leak2 reset-subtract stem8/2 003000 head-count"


def quiet(message: str) -> None:
    pass


def test_a_trained_run_holds_what_the_report_says(run: RunFolder) -> None:
    report = train_run(run, progress=quiet)
    graph = load_graph(run.path)
    test = run.dataset().test
    right = reference.predictions(reference.scores(graph, test.images)) == test.targets
    document = json.loads(run.training.read_text())
    assert document["test_accuracy"] == report.test_quality == right.mean()
    assert document["graph_sha256"] == graph.sha256()
    assert document["architecture"] == TEXT
    assert document["is_demonstration"] is True
    assert "head.linear.weight" in load_file(run.checkpoint)


def test_what_is_given_replaces_the_settings_and_is_kept(run: RunFolder) -> None:
    run.report.write_text("{}")
    first = train_run(run, changes={"epochs": 3, "seed": 5}, progress=quiet)
    assert not run.report.exists()  # it spoke of another network
    assert (first.recipe.epochs, first.seed) == (3, 5)
    kept = run.settings().training
    assert (kept.epochs, kept.seed) == (3, 5)
    again = train_run(run, progress=quiet)
    assert again.test_quality == first.test_quality
    assert train_run(run, changes={"time_budget_s": 0.001}, progress=quiet).recipe.epochs == 2


def test_a_run_without_architecture_is_refused_and_left_as_it_was(run: RunFolder) -> None:
    run.architecture.unlink()
    before = sorted(path.name for path in run.path.iterdir())
    with pytest.raises(InputError, match=r"no architecture\.json, because its search did not end"):
        train_run(run, progress=quiet)
    assert sorted(path.name for path in run.path.iterdir()) == before


class Interrupted(Exception):
    """What stands for a process that is killed."""


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_killed_training_is_resumed_to_the_same_network(epochs: int, run: RunFolder) -> None:
    whole = train_run(run, changes={"epochs": 3, "mirror": True}, progress=quiet)
    expected = load_graph(run.path).sha256()
    run.training.unlink()
    left = epochs + 1  # a line before the first epoch

    def killing(message: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_run(run, progress=killing)
    assert run.unfinished_training.is_file() and not run.training.is_file()
    assert load_graph(run.path).sha256() == expected  # the earlier network stays until there is another
    again = train_run(run, resume=True, progress=quiet)
    assert load_graph(run.path).sha256() == expected and not run.unfinished_training.is_file()
    assert again.test_quality == whole.test_quality


def test_a_run_that_was_killed_between_its_last_files_is_resumed(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("toolchain.training.run.save_graph", killed)
        with pytest.raises(Interrupted):
            train_run(run, progress=quiet)
    report = train_run(run, resume=True, progress=quiet)
    assert json.loads(run.training.read_text())["test_accuracy"] == report.test_quality
    load_graph(run.path)


def test_there_must_be_something_to_go_on_with(run: RunFolder) -> None:
    with pytest.raises(
        InputError, match="has no training to go on with; start one with `spikenas-deploy train"
    ):
        train_run(run, resume=True, progress=quiet)


def test_a_training_of_another_network_is_not_gone_on_with(run: RunFolder) -> None:
    def killed(message: str) -> None:
        if "integer" in message.split():
            raise Interrupted

    with pytest.raises(Interrupted):
        train_run(run, progress=killed)
    save_architecture(parse(TEXT.replace("stem8", "stem12")), run.architecture)
    with pytest.raises(InputError, match="was written for another network or other data"):
        train_run(run, resume=True, progress=quiet)


def test_a_narrower_budget_is_kept_to_with_fewer_bits(run: RunFolder) -> None:
    train_run(run, progress=quiet)
    profile = run.profile()
    used = footprint(load_graph(run.path), profile).flash_bytes
    assert used is not None
    report = train_run(run, changes={"epochs": 3}, limits={"flash_bytes": used - 400}, progress=quiet)
    graph = load_graph(run.path)
    assert report.bits == narrowable(graph) and min(report.bits.values()) < 8  # type: ignore[union-attr]
    narrow = footprint(graph, profile).flash_bytes
    assert narrow is not None and narrow <= used - 400
    kept = run.settings()
    assert (kept.training.limits.flash_bytes, kept.training.bits) == (used - 400, "auto")
    assert run.budget().flash_bytes == used - 400
    # Else the search's journal would be that of another search.
    assert run.search_budget() == budget(profile)


@pytest.mark.parametrize("bits", [4, 2])
def test_all_layers_may_be_asked_for_fewer_bits_and_resumed(bits: int, run: RunFolder) -> None:
    whole = train_run(run, changes={"bits": bits, "epochs": 3}, progress=quiet)
    expected = load_graph(run.path)
    assert narrowable(expected)["cell0_node3"] == bits

    def killed(message: str) -> None:
        if message.startswith("  integer"):
            raise Interrupted

    with pytest.raises(Interrupted):
        train_run(run, progress=killed)
    assert train_run(run, resume=True, progress=quiet).test_quality == whole.test_quality
    assert load_graph(run.path).sha256() == expected.sha256()


def killed_at(run: RunFolder, line: int, **changes: object) -> None:
    """Train, and end as if killed when so many lines have been told."""
    told: list[str] = []

    def progress(message: str) -> None:
        told.append(message)
        if len(told) == line:
            raise Interrupted

    with pytest.raises(Interrupted):
        train_run(run, changes=changes, progress=progress)


def same_files(one: RunFolder, other: RunFolder) -> None:
    for name in ("run.toml", "model.json", "model.safetensors", "checkpoint.safetensors"):
        assert (one.path / name).read_bytes() == (other.path / name).read_bytes(), name


@pytest.mark.parametrize("line", [1, 2])
@pytest.mark.parametrize(
    "changes", [{"seed": 5, "epochs": 3, "distillation": 0.5}, {"bits": 4}, {"time_budget_s": 0.001}]
)
def test_a_training_goes_on_as_it_was_begun(
    changes: dict[str, object], line: int, run: RunFolder, tmp_path: Path
) -> None:
    whole = RunFolder(tmp_path / "whole")
    shutil.copytree(run.path, whole.path)
    train_run(whole, changes=changes, progress=quiet)
    killed_at(run, line, **changes)  # 1: before the first epoch
    train_run(run, resume=True, progress=quiet)
    same_files(run, whole)


def test_settings_that_change_in_between_do_not_matter(run: RunFolder) -> None:
    killed_at(run, 2)
    settings = run.settings()
    other = settings.training.model_copy(update={"epochs": 9, "seed": 4, "mirror": True})
    run.save_settings(settings.model_copy(update={"training": other}))
    report = train_run(run, resume=True, progress=quiet)
    assert report.recipe.epochs == 2 and report.seed == 0 and not report.recipe.mirror
    assert run.settings() == settings


def test_data_that_change_in_between_are_refused(run: RunFolder) -> None:
    killed_at(run, 2)
    settings = run.settings()
    run.save_settings(settings.model_copy(update={"data": settings.data.model_copy(update={"limit": 100})}))
    with pytest.raises(InputError, match="other data; train again with --no-resume"):
        train_run(run, resume=True, progress=quiet)
    train_run(run, resume=False, progress=quiet)


def test_a_training_that_did_not_end_is_given_up_only_when_asked(run: RunFolder) -> None:
    train_run(run, progress=quiet)
    killed_at(run, 2, epochs=3)
    before = run.unfinished_training.read_bytes()
    with pytest.raises(InputError, match=r"train --resume .*, or give it up with --no-resume"):
        train_run(run, changes={"epochs": 4}, progress=quiet)
    assert run.unfinished_training.read_bytes() == before
    assert train_run(run, changes={"epochs": 4}, resume=False, progress=quiet).recipe.epochs == 4
    assert not run.unfinished_training.exists()


def test_finishing_begins_goes_on_or_repeats_nothing(run: RunFolder) -> None:
    first = finish_training(run, progress=quiet)
    assert first["recipe"]["float_epochs"] == 1

    def silence(message: str) -> None:
        raise AssertionError(f"trained again: {message}")

    again = finish_training(run, progress=silence)
    assert json.loads(json.dumps(first)).items() <= again.items()
    killed_at(run, 2, epochs=3)
    assert finish_training(run, progress=quiet)["recipe"]["float_epochs"] == 2
    run.training.write_text("[]")
    with pytest.raises(InputError, match=r"training\.json is not a report of this version"):
        finish_training(run, progress=silence)


def test_two_trainings_of_a_run_are_not_done_at_a_time(run: RunFolder) -> None:
    def second(message: str) -> None:
        with pytest.raises(InputError, match="another process is training .*; wait for it, or stop it"):
            train_run(run, resume=False, progress=quiet)

    train_run(run, progress=second)
    assert run.training.is_file()


def test_a_full_disk_says_how_to_go_on_and_leaves_all_that_it_takes(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = RunFolder(tmp_path / "whole")
    shutil.copytree(run.path, whole.path)
    train_run(whole, progress=quiet)
    real, room = os.fsync, 0

    def filling(handle: int) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr("os.fsync", filling)
    for room in (0, 1):  # noqa: B007 (``filling`` reads it)
        with pytest.raises(InputError, match="No space left on device; nothing was changed$"):
            train_run(run, progress=quiet)  # not even begun
        assert not run.unfinished_training.exists()
    # Two epochs, checkpoint, weights, structure, report and settings: the disk is full at each.
    resume: bool | None = None
    for room in (2, 1, 1, 1, 2, 3, 4):  # noqa: B007 (``filling`` reads it)
        with pytest.raises(InputError, match="No space left on device; nothing was changed") as caught:
            train_run(run, resume=resume, progress=quiet)
        assert ("training.safetensors" in str(caught.value)) == ("go on with: spikenas" in str(caught.value))
        assert run.unfinished_training.is_file()
        resume = True
        assert not [path for path in run.path.iterdir() if path.name.startswith(".model")]
    room = 100
    train_run(run, resume=True, progress=quiet)
    same_files(run, whole)


def test_an_unwritable_folder_is_told_before_anything_is_trained(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"cannot write .*\.training\.lock: Permission denied"):
        train_run(run, progress=quiet)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_run_that_is_removed_while_it_trains_is_not_made_again(line: int, run: RunFolder) -> None:
    told = 0

    def removing(message: str) -> None:
        nonlocal told
        told += 1
        if told == line:
            shutil.rmtree(run.path)

    with pytest.raises(InputError, match="was removed while its training went on"):
        train_run(run, progress=removing)
    assert not run.path.exists()


def test_a_training_that_diverged_leaves_nothing_to_go_on_with(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("toolchain.training.phase.rate_at", lambda *_: float("nan"))
        with pytest.raises(InputError, match="diverged in epoch 1; train again with another --seed"):
            train_run(run, progress=quiet)
    assert not run.unfinished_training.exists()
    train_run(run, changes={"seed": 1}, progress=quiet)


def test_what_a_killed_process_left_half_written_is_removed(run: RunFolder) -> None:
    for name in (".training.safetensors.abcdefgh", ".model.json.12345678", ".run.toml.a_b_c_d_"):
        (run.path / name).write_text("half")
    (run.path / ".mine").write_text("whole")
    train_run(run, progress=quiet)
    assert {path.name for path in run.path.glob(".*")} == {".training.lock", ".mine"}


def test_what_is_not_for_the_data_is_refused_before_anything_changes(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = run.dataset()
    numbers = [
        replace(part, targets=part.targets.astype(np.float32)[:, None])
        for part in (images.train, images.validation, images.test)
    ]
    scales = (Scale.of(numbers[0].targets[:, 0]),)
    data = replace(
        images, train=numbers[0], validation=numbers[1], test=numbers[2], labels=("digit",), scales=scales
    )
    monkeypatch.setattr(RunFolder, "dataset", lambda self: data)
    before = run.settings()
    for changes, sentence in (
        ({"mirror": True}, "leave --mirror out"),
        ({"label_smoothing": 0.1}, "give --label"),
    ):
        with pytest.raises(InputError, match=sentence):
            train_run(run, changes=changes, progress=pytest.fail)
    assert run.settings() == before


@pytest.mark.parametrize(
    ("limits", "error", "sentence"),
    [
        ({"artifact_bytes": 1000}, InputError, "--artifact"),
        ({"flash_bytes": 1 << 30}, InputError, "--flash may only narrow"),
        ({"flash_bytes": 5000}, OverBudgetError, "does not fit even with the fewest bits"),
    ],
)
def test_a_budget_that_cannot_be_kept_to_is_refused_before_anything_changes(
    limits: dict[str, int], error: type[Exception], sentence: str, run: RunFolder
) -> None:
    run.unfinished_training.write_text("there is a training to go on with")
    before = run.settings_file.read_text()
    with pytest.raises(error, match=sentence):
        train_run(run, limits=limits, resume=False, progress=pytest.fail)
    assert run.settings_file.read_text() == before and run.unfinished_training.is_file()
