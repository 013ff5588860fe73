"""TFLite artifacts in an interpreter on this machine's processor: tflite-runtime, or its successor LiteRT."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.read import load
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.preprocessing import Preprocessing
from toolchain.verification.runtimes.base import Evidence
from toolchain.verification.runtimes.batches import batch_size, batches, require_shape
from toolchain.verification.runtimes.libraries import first_line
from toolchain.verification.runtimes.spikes import SPIKES, Spikes, all_steps

Package = Literal["tflite_runtime", "ai_edge_litert"]
PACKAGES: tuple[Package, ...] = ("tflite_runtime", "ai_edge_litert")
"""In order of preference: what older boards run comes first."""

Kernels = Literal["default", "reference"]
_KERNELS: dict[Kernels, str] = {"default": "default delegate", "reference": "reference kernels"}

Images = NDArray[np.uint8]
Scores = NDArray[np.int32]


class TfliteRuntime:
    """``model.tflite`` on ``threads`` threads, in the named interpreter or the first that is installed.

    ``kernels``: ``default`` are what a program gets that asks for nothing, with the interpreter's default delegate
    (XNNPACK, where it has one); ``reference`` are written to be plain, and slow.

    Raises ``InputError`` if the file is missing, broken or foreign, ``ToolMissingError`` without interpreter.
    """

    evidence: Evidence = "measured"

    def __init__(
        self, path: Path, package: Package | None = None, threads: int = 1, kernels: Kernels = "default"
    ) -> None:
        self._path, self._threads = path, threads
        self._content, self.facts = load(path)
        self._module, version = _interpreter_module(package)
        self.name = f"{version}, {_KERNELS[kernels]}"
        resolvers = self._module.OpResolverType
        self._resolver = resolvers.BUILTIN_REF if kernels == "reference" else resolvers.AUTO
        self._frames = Preprocessing.from_dict(self.facts["preprocessing"]).frames
        self._interpreter, self._batch = self._resized(self._content, 1), 1
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
            self._interpreter, self._batch = self._resized(self._content, size), size
        result: Scores = self._invoked(self._interpreter, chunk, size)[0]
        return result[: len(chunk)]

    def spikes(self, images: Images, nodes: Sequence[str], time_steps: int) -> dict[str, Spikes]:
        """Spikes uint8 [T, n, C, H, W] of ``nodes``; raises ``InputError`` if the file has no such values.

        They are added to the model's outputs in memory, because an interpreter that is asked to keep all its values
        runs without its default delegate.
        """
        require_shape(images, self._shape, self._path)
        content, names = _with_spikes_as_outputs(self._content)
        size = len(images) if self._frames == 1 else 1
        interpreter = self._resized(content, size)
        _, *maps = self._invoked(interpreter, images, size)
        found = {name: np.moveaxis(value, -1, -3) for name, value in zip(names, maps, strict=True)}
        return {node: all_steps(found, node, time_steps, self._path) for node in nodes}

    def _invoked(self, interpreter: Any, chunk: Images, size: int) -> list[Any]:
        """Every output for up to ``size`` images."""
        channels, height, width = self._shape[-3:]
        pixels = np.zeros((size * self._frames, height, width, channels), np.uint8)
        pixels[: len(chunk) * self._frames] = np.moveaxis(chunk, -3, -1).reshape(-1, height, width, channels)
        try:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
            interpreter.invoke()
            return [interpreter.get_tensor(entry["index"]) for entry in interpreter.get_output_details()]
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.name} cannot run {self._path}: {first_line(error)}; export it again"
            ) from error

    def _resized(self, content: bytes, size: int) -> Any:
        """An interpreter with its memory planned for ``size`` images."""
        try:
            with _quiet_stderr():
                interpreter = self._module.Interpreter(
                    model_content=content,
                    num_threads=self._threads,
                    experimental_op_resolver_type=self._resolver,
                )
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


def _with_spikes_as_outputs(content: bytes) -> tuple[bytes, list[str]]:
    """A checked model with all spikes among its outputs, behind its own, and the names of these."""
    model = schema.load().ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    chosen = [index for index, name in enumerate(names) if SPIKES in name]
    graph.outputs = [*map(int, graph.outputs), *chosen]
    return pack(model), [names[index] for index in chosen]


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
