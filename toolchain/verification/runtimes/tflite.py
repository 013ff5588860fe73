"""TFLite artifacts in an interpreter on this machine's processor: tflite-runtime, or its successor LiteRT."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exporters.tflite.read import load
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.preprocessing import Preprocessing
from toolchain.verification.runtimes.base import Evidence
from toolchain.verification.runtimes.batches import batch_size, batches, require_shape
from toolchain.verification.runtimes.libraries import first_line

Package = Literal["tflite_runtime", "ai_edge_litert"]
PACKAGES: tuple[Package, ...] = ("tflite_runtime", "ai_edge_litert")
"""In order of preference: what older boards run comes first."""

Images = NDArray[np.uint8]
Scores = NDArray[np.int32]


class TfliteRuntime:
    """``model.tflite`` on ``threads`` threads, in the named interpreter or the first that is installed.

    Raises ``InputError`` if the file is missing, broken or foreign, ``ToolMissingError`` without interpreter.
    """

    evidence: Evidence = "measured"

    def __init__(self, path: Path, package: Package | None = None, threads: int = 1) -> None:
        self._path, self._threads = path, threads
        self._content, self.facts = load(path)
        self._module, self.name = _interpreter_module(package)
        self._frames = Preprocessing.from_dict(self.facts["preprocessing"]).frames
        self._interpreter, self._batch = self._resized(1), 1
        _, height, width, channels = map(int, self._interpreter.get_input_details()[0]["shape"])
        self._shape: tuple[int, ...] = (channels, height, width)
        if self._frames > 1:
            self._shape = (self._frames, *self._shape)

    def scores(self, images: Images) -> Scores:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W] or [n, T, C, H, W]."""
        require_shape(images, self._shape, self._path)
        # Frames stand where other networks have a batch.
        size = batch_size(images) if self._frames == 1 else 1
        return batches(images, size, lambda chunk: self._run(chunk, size))

    def _run(self, chunk: Images, size: int) -> Scores:
        """Run up to ``size`` images; a smaller last batch is filled up, since resizing plans memory anew."""
        if size != self._batch:
            self._interpreter, self._batch = self._resized(size), size
        channels, height, width = self._shape[-3:]
        pixels = np.zeros((size * self._frames, height, width, channels), np.uint8)
        pixels[: len(chunk) * self._frames] = np.moveaxis(chunk, -3, -1).reshape(-1, height, width, channels)
        interpreter = self._interpreter
        try:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
            interpreter.invoke()
            result: Scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.name} cannot run {self._path}: {first_line(error)}; export it again"
            ) from error
        return result[: len(chunk)]

    def _resized(self, size: int) -> Any:
        """An interpreter with its memory planned for ``size`` images."""
        try:
            with _quiet_stderr():
                interpreter = self._module.Interpreter(model_content=self._content, num_threads=self._threads)
                entry = interpreter.get_input_details()[0]
                # Frames are taken out by their numbers, which an interpreter may not check.
                if int(entry["shape"][0]) != self._frames:
                    raise InputError(f"{self._path} takes other frames than it says; export it again")
                interpreter.resize_tensor_input(entry["index"], [size * self._frames, *entry["shape"][1:]])
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.name} cannot load {self._path}: {first_line(error)}; export it again"
            ) from error
        return interpreter


def available() -> list[Package]:
    """The interpreters that can be used here, best first."""
    return [package for package in PACKAGES if _missing(package) is None]


def _interpreter_module(package: Package | None) -> tuple[Any, str]:
    """The interpreter's module, and its name with the version."""
    reasons = []
    for candidate in (package,) if package else PACKAGES:
        reason = _missing(candidate)
        if reason is None:
            distribution = candidate.replace("_", "-")
            return import_module(
                f"{candidate}.interpreter"
            ), f"{distribution} {metadata.version(distribution)}"
        reasons.append(reason)
    raise ToolMissingError(
        f"no TFLite interpreter can be used ({'; '.join(reasons)}); `pip install ai-edge-litert`"
    )


def _missing(package: Package) -> str | None:
    """Why an interpreter cannot be used; None if it can."""
    if package == "tflite_runtime" and int(np.__version__.split(".")[0]) >= 2:
        return "tflite-runtime needs numpy below 2"
    try:
        import_module(f"{package}.interpreter")
    except (ImportError, OSError) as error:
        return f"{package}: {error}"
    return None


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what the interpreters' C code prints as it starts; what goes wrong comes as an exception too."""
    sys.stderr.flush()
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
