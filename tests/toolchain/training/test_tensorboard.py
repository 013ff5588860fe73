"""Curves of a training, read back with TensorBoard's own reader."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolchain.training.test_run import Interrupted, quiet, run
from toolchain.errors import InputError, ToolMissingError
from toolchain.runs import RunFolder
from toolchain.training.run import train_run

__all__ = ["run"]


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(epoch, value) of every curve."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


def test_curves_are_what_the_report_says(run: RunFolder, require_package: Callable[[str], None]) -> None:
    require_package("tensorboard")
    told = 0

    def killing(message: str) -> None:
        nonlocal told
        told += 1
        if told == 3:  # the second epoch
            raise Interrupted

    with pytest.raises(Interrupted):
        train_run(run, changes={"epochs": 4, "distillation": 0.5}, tensorboard=True, progress=killing)
    report = train_run(run, resume=True, tensorboard=True, progress=quiet)
    curves = read(run.tensorboard)
    for phase in ("teacher", "float", "integer"):
        epochs = [epoch for epoch in report.history if epoch.phase == phase]  # type: ignore[union-attr]
        for name, values in (
            ("loss", [epoch.loss for epoch in epochs]),
            ("validation_accuracy", [epoch.quality for epoch in epochs]),
            ("images_a_second", [epoch.images_a_second for epoch in epochs]),
        ):
            expected = [(number, pytest.approx(value)) for number, value in enumerate(values, start=1)]
            assert curves[f"{phase}/{name}"] == expected
        assert all(0 < rate < 5e-3 for _, rate in curves[f"{phase}/learning_rate"])
    assert "teacher/spike_rate" not in curves
    assert all(0 < rate < 1 for phase in ("float", "integer") for _, rate in curves[f"{phase}/spike_rate"])
    train_run(run, changes={"epochs": 2, "distillation": 0.0}, tensorboard=True, progress=quiet)
    assert [step for step, _ in read(run.tensorboard)["float/loss"]] == [1]
    assert "teacher/loss" not in read(run.tensorboard)


def test_curves_change_no_weight(run: RunFolder, require_package: Callable[[str], None]) -> None:
    require_package("tensorboard")
    train_run(run, changes={"epochs": 3}, progress=quiet)
    without = run.model.read_bytes()
    train_run(run, tensorboard=True, progress=quiet)
    assert run.model.read_bytes() == without


def test_a_folder_that_cannot_be_written_is_one_sentence(
    run: RunFolder, require_package: Callable[[str], None]
) -> None:
    require_package("tensorboard")
    run.tensorboard.write_text("a file")
    with pytest.raises(InputError, match=r"cannot write .*tensorboard: .*; go on without --tensorboard"):
        train_run(run, tensorboard=True, progress=quiet)
    train_run(run, resume=True, progress=quiet)


def test_without_its_package_the_sentence_says_what_to_install(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    before = sorted(run.path.iterdir())
    with pytest.raises(ToolMissingError, match=r"pip install 'spikenas-deploy\[tensorboard\]'"):
        train_run(run, tensorboard=True, progress=quiet)
    assert sorted(run.path.iterdir()) == before
