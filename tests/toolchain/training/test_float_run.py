from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.support.data import bars
from toolchain import profiles, runs
from toolchain.architecture.snasnet import parse
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import AnyArchitecture
from toolchain.architecture.text import parse as parse_spikenas
from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings, TrainingSettings
from toolchain.training.float_run import FloatTrainingReport, trained_network
from toolchain.training.run import train_run

TINY = parse("snasnet t2 stem8/1 003000 pool2 fc64 voters2")


def quiet(message: str) -> None:
    pass


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    found = bars()
    monkeypatch.setattr(RunFolder, "dataset", lambda self: found)
    return found


def run_of(folder: Path, architecture: AnyArchitecture = TINY) -> RunFolder:
    settings = RunSettings(training=TrainingSettings(epochs=4))
    run = runs.create(folder, profiles.load("jetson_nano"), settings)
    save_architecture(architecture, run.architecture)
    return run


def test_a_run_is_trained_in_float_alone(tmp_path: Path, data: Dataset) -> None:
    run = run_of(tmp_path / "run")
    run.report.write_text("{}")
    report = train_run(run, progress=quiet)
    assert isinstance(report, FloatTrainingReport)
    assert report.test_accuracy is None and 0 < report.float_test_accuracy < 1
    written = json.loads(run.training.read_text())
    assert (written["form"], written["test_accuracy"]) == ("float", None)
    assert written["architecture"] == "snasnet t2 stem8/1 003000 pool2 fc64 voters2"
    assert not run.model.exists() and not run.report.exists()
    network = trained_network(run, data)
    assert not network.training
    images = torch.from_numpy(data.test.images)
    right = (network(images).argmax(1) == torch.from_numpy(data.test.targets)).float().mean()
    assert float(right) == pytest.approx(report.float_test_accuracy)


def test_training_again_repeats_it(tmp_path: Path, data: Dataset) -> None:
    run = run_of(tmp_path / "run")
    train_run(run, changes={"epochs": 2}, progress=quiet)
    first = run.checkpoint.read_bytes()
    assert run.settings().training.epochs == 2
    train_run(run, progress=quiet)
    assert run.checkpoint.read_bytes() == first


def test_a_time_budget_ends_it(tmp_path: Path, data: Dataset) -> None:
    report = train_run(run_of(tmp_path / "run"), changes={"time_budget_s": 1e-6}, progress=quiet)
    assert report.recipe.epochs == 2


def test_what_is_no_trained_network(tmp_path: Path, data: Dataset) -> None:
    run = run_of(tmp_path / "run")
    with pytest.raises(InputError, match="no trained network yet"):
        trained_network(run, data)
    run.checkpoint.write_bytes(b"not tensors")
    with pytest.raises(InputError, match="damaged or of another network"):
        trained_network(run, data)
    train_run(run, changes={"epochs": 2}, progress=quiet)
    save_architecture(parse("snasnet t2 stem8/1 001000 pool2 fc64 voters2"), run.architecture)
    with pytest.raises(InputError, match="damaged or of another network"):
        trained_network(run, data)
    save_architecture(parse_spikenas("t2 leak2 reset-subtract stem4/2 003000 head-count"), run.architecture)
    with pytest.raises(InputError, match="not of the snasnet space"):
        trained_network(run, data)


def test_what_a_float_training_cannot_do_is_refused(tmp_path: Path, data: Dataset) -> None:
    run = run_of(tmp_path / "run")
    before = run.settings_file.read_text()
    with pytest.raises(InputError, match="leave --mirror, --average, --bits, --teacher, --artifact out"):
        train_run(
            run,
            changes={"mirror": True, "average": 0.9, "bits": 4, "distillation": 0.5, "spike_rate": None},
            limits={"artifact_bytes": 1000},
            progress=pytest.fail,
        )
    assert run.settings_file.read_text() == before
    assert train_run(run, changes={"epochs": 2, "mirror": False}, progress=quiet).recipe.epochs == 2
