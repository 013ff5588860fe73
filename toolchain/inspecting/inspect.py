"""``inspect``: what an artifact, or a run with all of its artifacts, holds; nothing is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from toolchain.errors import InputError
from toolchain.inspecting.structure import Structure

SCHEMA = "spikenas-inspection/1"
"""Name and version of the JSON document; a change that breaks its readers raises the version."""

_READERS = {
    ".onnx": "onnx_file.inspect_onnx",
    ".tflite": "tflite_file.inspect_tflite",
    ".nir": "nir_file.inspect_nir",
    ".elf": "firmware.inspect_elf",
    ".hex": "load_files.inspect_hex",
    ".uf2": "load_files.inspect_uf2",
    ".bin": "load_files.inspect_binary",
    ".safetensors": "safetensors_file.inspect_safetensors",
    ".json": "network.inspect_network",
}
"""Ending -> what reads such a file; imported only then, because some need numpy."""

KINDS = tuple(_READERS)
"""Endings of the files that can be inspected."""


def inspect_path(path: Path) -> list[Structure]:
    """The structure of an artifact; of a run's folder that of its network and of every artifact.

    Raises ``InputError`` if it is missing, broken, hostile, or nothing that can be inspected.
    """
    if os.path.isdir(path):
        return _inspect_run(path)
    if not os.path.exists(path):
        raise InputError(f"{path} does not exist; give an artifact ({', '.join(KINDS)}) or a run's folder")
    return [_reader(path)(path)]


def _inspect_run(folder: Path) -> list[Structure]:
    candidates = [folder / "model.json", *sorted((folder / "artifacts").glob("*"))]
    # The network's own .json is read; others are settings and reports.
    found = [
        path
        for path in candidates
        if path.is_file() and path.suffix in KINDS and (path.suffix != ".json" or path.parent == folder)
    ]
    if not found:
        raise InputError(
            f"{folder} holds no network and no artifact; give an artifact ({', '.join(KINDS)}) or a run's folder"
        )
    return [_reader(path)(path) for path in found]


def _reader(path: Path) -> Callable[[Path], Structure]:
    if path.suffix not in _READERS:
        raise InputError(
            f"{path} is no artifact; give a file that ends in {', '.join(KINDS)}, or a run's folder"
        )
    module, _, name = _READERS[path.suffix].partition(".")
    reader: Callable[[Path], Structure] = getattr(import_module(f"toolchain.inspecting.{module}"), name)
    return reader
