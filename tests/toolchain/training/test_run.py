from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.storage import load_graph
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
    assert document["test_accuracy"] == report.test_accuracy == right.mean()
    assert document["graph_sha256"] == graph.sha256()
    assert document["architecture"] == TEXT
    assert document["is_demonstration"] is True
    assert "head.linear.weight" in load_file(run.checkpoint)


def test_what_is_given_replaces_the_settings_and_is_kept(run: RunFolder) -> None:
    run.report.write_text("{}")
    first = train_run(run, epochs=3, seed=5, progress=quiet)
    assert not run.report.exists()  # it spoke of another network
    assert (first.recipe.epochs, first.seed) == (3, 5)
    kept = run.settings().training
    assert (kept.epochs, kept.seed) == (3, 5)
    again = train_run(run, progress=quiet)
    assert again.test_accuracy == first.test_accuracy
    assert train_run(run, time_budget_s=0.001, progress=quiet).recipe.epochs == 2


def test_a_run_without_architecture_is_refused_and_left_as_it_was(run: RunFolder) -> None:
    run.architecture.unlink()
    before = sorted(path.name for path in run.path.iterdir())
    with pytest.raises(InputError, match=r"no architecture\.json, because its search did not end"):
        train_run(run, progress=quiet)
    assert sorted(path.name for path in run.path.iterdir()) == before
