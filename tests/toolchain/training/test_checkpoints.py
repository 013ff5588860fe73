"""Trainings on disk: whole, or refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.toolchain.training.test_course import PLAN, StopAfter, course
from toolchain.errors import InputError
from toolchain.settings import TrainingSettings
from toolchain.training.checkpoints import Saved, load_checkpoint, restored, save_checkpoint
from toolchain.training.course import Course, Stopped

SETTINGS = TrainingSettings(seed=1, mirror=True, bits="auto")


def stopped(steps: int) -> Course:
    going = course()
    with pytest.raises(Stopped):
        going.run(StopAfter(steps))
    return going


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "training.safetensors"
    save_checkpoint(path, stopped(11), SETTINGS, {"network": "n"})
    return path


@pytest.fixture(scope="module")
def in_float(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "training.safetensors"
    save_checkpoint(path, stopped(5), SETTINGS, {})
    return path


def test_what_was_written_is_what_is_read(written: Path) -> None:
    saved = load_checkpoint(written)
    assert (saved.header.recipe, saved.header.settings, saved.header.facts) == (
        PLAN,
        SETTINGS,
        {"network": "n"},
    )
    ours, theirs = restored(course(), saved).checkpoint(), stopped(11).checkpoint()
    assert (ours.phase, ours.step, ours.total_loss) == (theirs.phase, theirs.step, theirs.total_loss)
    assert [one.loss for one in ours.history] == [one.loss for one in theirs.history]
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(torch.equal(ours.tensors[name], theirs.tensors[name]) for name in ours.tensors)


def test_a_checkpoint_holds_no_code(written: Path) -> None:
    length = int.from_bytes(written.read_bytes()[:8], "little")
    json.loads(written.read_bytes()[8 : 8 + length])


HEADER: dict[str, Any] = {
    "schema": "spikenas-checkpoint/2",
    "facts": {},
    "settings": {},
    "recipe": {"float_epochs": 1, "quantized_epochs": 1, "batch": 20},
    "position": {"phase": "float", "step": 1, "total_loss": 0.0, "history": [], "bits": {}},
}


def with_header(path: Path, change: Callable[[dict[str, Any]], object] = lambda header: None) -> None:
    header = json.loads(json.dumps(HEADER))
    change(header)
    save_file({"a": torch.zeros(1)}, path, {"training": json.dumps(header)})


def test_the_header_that_the_refusals_start_from_is_read(tmp_path: Path) -> None:
    with_header(tmp_path / "file")
    assert load_checkpoint(tmp_path / "file").checkpoint.step == 1


def truncated(path: Path) -> None:
    save_checkpoint(path, course(), SETTINGS, {})
    path.write_bytes(path.read_bytes()[:-100])


EPOCH = {"phase": "float", "number": 1, "loss": 1.0, "images_a_second": "fast", "quality": 0.5}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "there is no training to go on with"),
        (lambda path: path.mkdir(), "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(b"\xff" * 100), "is damaged"),
        (lambda path: path.write_bytes((1 << 40).to_bytes(8, "little") + b"{" * 100), "is damaged"),
        (truncated, "is damaged"),
        (lambda path: save_file({"a": torch.zeros(1)}, path), "is damaged"),
        (lambda path: save_file({"a": torch.zeros(1)}, path, {"training": "[" * 100_000}), "is damaged"),
        (lambda path: save_file({"a": torch.zeros(1)}, path, {"training": "[1]"}), "is damaged"),
        (lambda path: with_header(path, lambda header: header.update(recipe={"epochs": 1})), "is damaged"),
        (lambda path: with_header(path, lambda header: header["recipe"].update(batch=0)), "is damaged"),
        (
            lambda path: with_header(path, lambda header: header["recipe"].update(float_epochs=10**400)),
            "damaged",
        ),
        (
            lambda path: with_header(path, lambda header: header["recipe"].update(average=float("nan"))),
            "damaged",
        ),
        (lambda path: with_header(path, lambda header: header["settings"].update(seed=-1)), "is damaged"),
        (lambda path: with_header(path, lambda header: header.pop("position")), "is damaged"),
        (lambda path: with_header(path, lambda header: header["position"].update(phase="end")), "is damaged"),
        (lambda path: with_header(path, lambda header: header["position"].update(step=-1)), "is damaged"),
        (
            lambda path: with_header(path, lambda header: header["position"].update(history=[EPOCH])),
            "damaged",
        ),
        (
            lambda path: with_header(path, lambda header: header["position"].update(bits={"a": 3})),
            "is damaged",
        ),
        (lambda path: with_header(path, lambda header: header.update(schema="x/9")), "has the form 'x/9'"),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    make: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "training.safetensors"
    make(path)
    with pytest.raises(InputError, match=sentence):
        load_checkpoint(path)


def test_a_checkpoint_of_too_many_bytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_header(tmp_path / "file")
    monkeypatch.setattr("toolchain.training.checkpoints.MAX_CHECKPOINT_BYTES", 100)
    with pytest.raises(InputError, match="larger than any checkpoint"):
        load_checkpoint(tmp_path / "file")


def replaced(name: str, value: torch.Tensor) -> Callable[[Saved], object]:
    def change(saved: Saved) -> None:
        assert name in saved.checkpoint.tensors
        saved.checkpoint.tensors[name] = value

    return change


WEIGHT, MOMENT = "phase.network.head.linear.weight", "phase.optimizer.head.linear.weight.exp_avg"
AVERAGE = "phase.average.head.linear.weight"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda saved: saved.checkpoint.tensors.clear(), ""),
        (lambda saved: setattr(saved.checkpoint, "step", 10**6), "steps, not 1000000"),
        (replaced(WEIGHT, torch.zeros(2, 2)), r"\[2, 2\]"),
        (replaced(MOMENT, torch.zeros(2, 2)), r"\[2, 2\]"),
        (replaced(AVERAGE, torch.zeros(2, 2)), r"\[2, 2\]"),
        (replaced("teacher.readout.weight", torch.zeros(1)), r"\[1\]"),
    ],
)
def test_another_network_s_checkpoint_is_refused(
    in_float: Path, change: Callable[[Saved], object], why: str
) -> None:
    saved = load_checkpoint(in_float)
    change(saved)
    with pytest.raises(
        InputError, match=f"does not belong to this network or is damaged: .*{why}.*--no-resume"
    ):
        restored(course(), saved)


@pytest.mark.parametrize("name", [WEIGHT, MOMENT, AVERAGE])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_or_of_another_type_is_refused(in_float: Path, name: str, value: float) -> None:
    saved = load_checkpoint(in_float)
    whole = saved.checkpoint.tensors[name]
    saved.checkpoint.tensors[name] = torch.full_like(whole, value)
    with pytest.raises(InputError, match="is not finite"):
        restored(course(), saved)
    saved.checkpoint.tensors[name] = whole.double()
    with pytest.raises(InputError, match=r"torch\.float64"):
        restored(course(), saved)


def test_a_phase_that_the_course_does_not_have_is_refused(tmp_path: Path) -> None:
    with_header(tmp_path / "file", lambda header: header["position"].update(phase="teacher"))
    saved = load_checkpoint(tmp_path / "file")
    with pytest.raises(InputError, match="has no teacher phase"):
        restored(course(saved.header.recipe), saved)


def test_a_full_disk_leaves_the_checkpoint_before(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device; nothing was changed"):
        save_checkpoint(written, course(), SETTINGS, {})
    assert written.read_bytes() == before and len(list(written.parent.iterdir())) == 1


def test_a_folder_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="was removed while its training went on"):
        save_checkpoint(tmp_path / "gone" / "training.safetensors", course(), SETTINGS, {})
    assert not (tmp_path / "gone").exists()
