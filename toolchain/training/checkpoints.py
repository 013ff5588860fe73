"""A training that goes on, on disk: one safetensors file whose header says, as JSON, where the training stands.

One file, because two could be of different moments. It is written beside the old one and takes its place at once,
so there is always a whole one, whatever happens to the process or the disk.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.training.course import Checkpoint, Course, Epoch
from toolchain.training.recipe import Recipe

SCHEMA = "spikenas-checkpoint/1"

MAX_CHECKPOINT_BYTES = (1 << 31) - 1
"""Largest checkpoint that is read: far above three copies of any network that int16 potentials allow."""


def save_checkpoint(path: Path, course: Course, facts: dict[str, Any]) -> None:
    """Write where ``course`` stands; ``facts``: JSON data by which ``load_checkpoint`` tells whose it is.

    Raises ``InputError`` if the disk is full or the folder cannot be written; an earlier checkpoint then stays.
    """
    checkpoint = course.checkpoint()
    header = {
        "schema": SCHEMA,
        "facts": facts,
        "recipe": asdict(course.plan),
        "seed": course.seed,
        "position": checkpoint.position(),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in checkpoint.tensors.items()}
    write_atomic(path, save(tensors, {"training": json.dumps(header)}))


def load_checkpoint(path: Path) -> tuple[Checkpoint, Recipe, int, dict[str, Any]]:
    """What ``save_checkpoint`` wrote: the checkpoint, recipe, seed and facts.

    Raises ``InputError`` if the file is missing, too large, damaged or of another version.
    """
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise InputError(
                f"{path} is larger than any checkpoint; remove it and train again without --resume"
            )
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["training"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if header["schema"] != SCHEMA:
            raise InputError(
                f"{path} has the form {header['schema']!r:.40}, this version reads {SCHEMA!r}; "
                "train again without --resume"
            )
        position = header["position"]
        checkpoint = Checkpoint(
            position["phase"],
            int(position["step"]),
            float(position["total_loss"]),
            tensors,
            [Epoch(**entry) for entry in position["history"]],
            {str(name): int(bits) for name, bits in position["bits"].items()},
        )
        return checkpoint, _recipe(header["recipe"]), int(header["seed"]), dict(header["facts"])
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: there is no training to go on with") from error
    except (
        SafetensorError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise InputError(
            f"{path} is damaged ({type(error).__name__}); remove it and train again without --resume"
        ) from error


def restored(course: Course, checkpoint: Checkpoint, path: Path) -> Course:
    """``course`` where ``checkpoint``, read from ``path``, stood; raises ``InputError`` if it is of another network."""
    try:
        with torch.no_grad():
            course.restore(checkpoint)
    except (KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} does not belong to this network; remove it and train again without --resume"
        ) from error
    return course


def _recipe(document: dict[str, Any]) -> Recipe:
    known = {field.name for field in fields(Recipe)}
    if document.keys() != known:
        raise ValueError(f"fields of a recipe are {sorted(known)}")
    return Recipe(**document)
