"""Trainings on disk: whole, or refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.toolchain.training.test_course import PLAN, StopAfter, course
from toolchain.errors import InputError
from toolchain.training.checkpoints import load_checkpoint, restored, save_checkpoint
from toolchain.training.course import Stopped


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "training.safetensors"
    stopped = course()
    with pytest.raises(Stopped):
        stopped.run(StopAfter(11))
    save_checkpoint(path, stopped, {"network": "n"})
    return path


def test_what_was_written_is_what_is_read(written: Path) -> None:
    checkpoint, plan, seed, facts = load_checkpoint(written)
    assert (plan, seed, facts) == (PLAN, 1, {"network": "n"})
    going = restored(course(), checkpoint, written)
    stopped = course()
    with pytest.raises(Stopped):
        stopped.run(StopAfter(11))
    ours, theirs = going.checkpoint(), stopped.checkpoint()
    assert (ours.phase, ours.step, ours.total_loss) == (theirs.phase, theirs.step, theirs.total_loss)
    assert [one.loss for one in ours.history] == [one.loss for one in theirs.history]
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(torch.equal(ours.tensors[name], theirs.tensors[name]) for name in ours.tensors)


def test_a_checkpoint_holds_no_code(written: Path) -> None:
    length = int.from_bytes(written.read_bytes()[:8], "little")
    json.loads(written.read_bytes()[8 : 8 + length])


def with_header(path: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    header = {
        "schema": "spikenas-checkpoint/1",
        "facts": {},
        "recipe": {},
        "seed": 0,
        "position": {"phase": "float", "step": 1, "total_loss": 0.0, "history": []},
    }
    change(header)
    save_file({"a": torch.zeros(1)}, path, {"training": json.dumps(header)})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "there is no training to go on with"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(b"\xff" * 100), "is damaged"),
        (lambda path: save_file({"a": torch.zeros(1)}, path), "is damaged"),
        (lambda path: save_file({"a": torch.zeros(1)}, path, {"training": "[" * 100_000}), "is damaged"),
        (lambda path: with_header(path, lambda header: header.update(recipe={"epochs": 1})), "is damaged"),
        (lambda path: with_header(path, lambda header: header.pop("position")), "is damaged"),
        (lambda path: with_header(path, lambda header: header.update(schema="x/9")), "has the form 'x/9'"),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    make: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "training.safetensors"
    make(path)
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        load_checkpoint(path)


def test_another_network_s_checkpoint_is_refused(written: Path) -> None:
    checkpoint, *_ = load_checkpoint(written)
    checkpoint.tensors["float.head.linear.weight"] = torch.zeros(2, 2)
    with pytest.raises(InputError, match="does not belong to this network"):
        restored(course(), checkpoint, written)
    checkpoint.tensors.clear()
    with pytest.raises(InputError, match="does not belong to this network"):
        restored(course(), checkpoint, written)


def test_a_full_disk_leaves_the_checkpoint_before(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device; nothing was changed"):
        save_checkpoint(written, course(), {})
    assert written.read_bytes() == before and len(list(written.parent.iterdir())) == 1
