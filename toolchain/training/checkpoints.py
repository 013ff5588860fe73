"""A training that goes on, on disk: one safetensors file whose header says, as JSON, where the training stands.

One file, because two could be of different moments. It is written beside the old one and takes its place at once,
so there is always a whole one, whatever happens to the process or the disk.
"""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.settings import TrainingSettings
from toolchain.training.course import Checkpoint, Course, Epoch
from toolchain.training.phase import PhaseName
from toolchain.training.recipe import Recipe

SCHEMA = "spikenas-checkpoint/2"

MAX_CHECKPOINT_BYTES = (1 << 31) - 1
"""Largest checkpoint that is read: far above three copies of any network that int16 potentials allow."""

MOST = 1_000_000_000
"""Largest number that a recipe may hold: above any count of epochs or images, below what a float cannot hold."""

ANEW = "train again with --no-resume"
"""How every checkpoint is mended that cannot be gone on with."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Position(_Table):
    """Where a course stands, but for its tensors; the fields of ``Checkpoint``."""

    phase: PhaseName
    step: int = Field(ge=0, le=MOST)
    total_loss: float
    history: list[Epoch]
    bits: dict[str, Literal[8, 4, 2]]


class Header(_Table):
    """What is said of the tensors in the file.

    ``facts``: hashes by which it is told whose training this is; ``settings``: as which it was begun.
    """

    schema_: Literal["spikenas-checkpoint/2"] = Field(alias="schema")
    facts: dict[str, str]
    settings: TrainingSettings
    recipe: Recipe
    position: Position


class Saved:
    """A checkpoint as it was read: the ``path``, the ``header``, and the ``checkpoint`` for ``Course.restore``."""

    def __init__(self, path: Path, header: Header, tensors: dict[str, torch.Tensor]) -> None:
        self.path, self.header = path, header
        stood = header.position
        self.checkpoint = Checkpoint(
            stood.phase, stood.step, stood.total_loss, tensors, stood.history, dict(stood.bits)
        )


def save_checkpoint(path: Path, course: Course, settings: TrainingSettings, facts: dict[str, str]) -> None:
    """Write where ``course`` stands, which was begun as ``settings`` say; ``facts`` as in ``Header``.

    Raises ``InputError`` if the disk is full, or the folder cannot be written or has gone; an earlier checkpoint
    then stays.
    """
    if not path.parent.is_dir():
        # Writing would make the folder again, with nothing but this in it.
        raise InputError(
            f"{path.parent} was removed while its training went on; start a new run with `search`"
        )
    checkpoint = course.checkpoint()
    header = {
        "schema": SCHEMA,
        "facts": facts,
        "settings": settings.model_dump(mode="json"),
        "recipe": asdict(course.plan),
        "position": checkpoint.position(),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in checkpoint.tensors.items()}
    write_atomic(path, save(tensors, {"training": json.dumps(header)}))


def load_checkpoint(path: Path) -> Saved:
    """What ``save_checkpoint`` wrote; raises ``InputError`` if it is missing, too large, damaged or of another
    version."""
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise InputError(f"{path} is larger than any checkpoint; {ANEW}")
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {})["training"]
            if (form := json.loads(text)["schema"]) != SCHEMA:
                raise InputError(f"{path} has the form {form!r:.40}, this version reads {SCHEMA!r}; {ANEW}")
            header = Header.model_validate_json(text)
            _require_sane(header.recipe)
            return Saved(path, header, {name: file.get_tensor(name) for name in file.keys()})
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: there is no training to go on with") from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}); {ANEW}") from error


def restored(course: Course, saved: Saved) -> Course:
    """``course`` where ``saved`` stood; raises ``InputError`` if it is of another network."""
    try:
        with torch.no_grad():
            course.restore(saved.checkpoint)
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{saved.path} does not belong to this network or is damaged: {error}; {ANEW}"
        ) from error
    return course


def _require_sane(plan: Recipe) -> None:
    if min(plan.batch, plan.float_epochs, plan.quantized_epochs) < 1:
        raise ValueError("a recipe has epochs and a batch")
    if any(isinstance(value, int | float) and not 0 <= value <= MOST for value in astuple(plan)):
        raise ValueError("a recipe has numbers of a common size")
