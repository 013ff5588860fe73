"""Real runs, made once: names and labels are hostile everywhere, so that every test meets them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.data import bars, steering
from tests.toolchain.search.short import short_trainings
from toolchain import profiles, runs
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse_any
from toolchain.cli.main import main
from toolchain.datasets import Dataset
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings, TrainingSettings
from toolchain.training.run import train_run

NAME = "<img src=x onerror=alert(1)>"
LABELS = ("<script>alert(2)</script>", "a|b & \"c\" 'd'", "diagonal")
"""In the order in which classes are listed."""


SAMPLES = 30
"""Images of the verdict."""


def quiet(message: str) -> None:
    pass


def write_npz(path: Path, data: Dataset, labels: tuple[str, ...]) -> Path:
    """``data`` as a source of its own, with a test part, its classes or numbers called ``labels``."""
    arrays = {"images": data.train.images[:, 0], "test_images": data.test.images[:, 0]}
    if data.task == "regression":
        arrays |= {
            "targets": data.train.targets,
            "test_targets": data.test.targets,
            "labels": np.array(labels),
        }
    else:
        names = np.array(labels)
        arrays |= {"labels": names[data.train.targets], "test_labels": names[data.test.targets]}
    np.savez(path, **arrays)
    return path


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run from search to verified firmware of an STM32F405."""
    pytest.importorskip("ziglang", reason="links the firmware")
    pytest.importorskip("unicorn", reason="emulates the firmware")
    folder = tmp_path_factory.mktemp("deployed")
    data = write_npz(folder / "bars.npz", bars(240), LABELS)
    command = [
        "deploy",
        "--profile",
        "stm32f405",
        "--data",
        str(data),
        "--algorithm",
        "random",
        "--latency",
        "2ms",
    ]
    with inside(folder), short_trainings():
        assert (
            main([*command, "--workers", "1", "--epochs", "30", "--samples", str(SAMPLES), "--out", NAME])
            == 0
        )
    return RunFolder(folder / NAME)


@pytest.fixture
def copied(deployed: RunFolder, tmp_path: Path) -> RunFolder:
    """The same run, to be changed."""
    return RunFolder(Path(shutil.copytree(deployed.path, tmp_path / NAME)))


def _trained(folder: Path, data: Path, board: str, line: str, epochs: int) -> RunFolder:
    settings = RunSettings(data=DataSettings(source=str(data)), training=TrainingSettings(epochs=epochs))
    run = runs.create(folder / "run", profiles.load(board), settings)
    save_architecture(parse_any(line), run.architecture)
    train_run(run, progress=quiet)
    return run


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A trained regression of two numbers, for a Linux board."""
    folder = tmp_path_factory.mktemp("numbers")
    data = write_npz(folder / "gates.npz", steering(200), ("offset <b>", "brightness"))
    return _trained(folder, data, "raspberry_pi_4b", "t2 leak2 reset-subtract stem8/2 003000 head-flatten", 4)


@pytest.fixture(scope="session")
def float_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A trained network of the ``snasnet`` space."""
    folder = tmp_path_factory.mktemp("float")
    data = write_npz(folder / "bars.npz", bars(120), LABELS)
    return _trained(folder, data, "jetson_nano", "snasnet t2 stem8/1 302202 pool2 fc64 voters2", 2)


@pytest.fixture
def in_state(copied: RunFolder) -> Callable[[str], RunFolder]:
    """``in_state(name)``: the deployed run as it was when it had got so far."""
    stages = {
        "exported": ("report.json",),
        "trained": ("artifacts", "manifest.json"),
        "searched": ("training.json", "model.json", "model.safetensors", "checkpoint.safetensors"),
        "searching": ("architecture.json", "search.json"),
    }

    def went(state: str) -> RunFolder:
        for name, files in stages.items():
            for file in files:
                path = copied.path / file
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if name == state:
                return copied
        raise ValueError(state)

    return went
