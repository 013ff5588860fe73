from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cost.footprint import footprint
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.storage import load_graph
from toolchain.graph.widths import narrowable
from toolchain.runs import DataSettings, RunFolder, RunSettings, TrainingSettings
from toolchain.training.run import train_run


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
    assert (kept.limits.flash_bytes, kept.training.bits) == (used - 400, "auto")


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
