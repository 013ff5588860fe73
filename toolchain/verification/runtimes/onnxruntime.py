"""ONNX artifacts in ONNX Runtime on this machine: the unrolled form, and the step form in a loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from exporters.metadata import Form
from exporters.onnx.lowering import COUNTS, IMAGE, NEXT, SCORES
from exporters.onnx.read import facts_of, load
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.preprocessing import Preprocessing
from toolchain.verification.runtimes.base import Evidence
from toolchain.verification.runtimes.batches import batch_size, batches, require_shape
from toolchain.verification.runtimes.libraries import first_line
from toolchain.verification.runtimes.spikes import SPIKES, Spikes, all_steps

Images = NDArray[np.uint8]
Scores = NDArray[np.int32]

MAX_ELEMENTS = 1 << 28
"""Most numbers that an artifact may take for one image: pixels and state."""


class OnnxRuntime:
    """``model.onnx`` (all time steps inside) on ``threads`` threads.

    Raises ``InputError`` if the file is missing, broken or of another form, ``ToolMissingError`` without
    onnxruntime.
    """

    evidence: Evidence = "measured"

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._path, self._threads = path, threads
        self._session, self.facts, self.name = open_artifact(path, "unrolled", threads)
        self._shape, _ = _ends(self._session, path)

    def scores(self, images: Images) -> Scores:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W] or [n, T, C, H, W]."""
        require_shape(images, self._shape, self._path)
        return batches(
            images, batch_size(images), lambda chunk: _run(self._session, {IMAGE: chunk}, self._path)[SCORES]
        )

    def spikes(self, images: Images, nodes: Sequence[str], time_steps: int) -> dict[str, Spikes]:
        """Spikes uint8 [T, n, C, H, W] of ``nodes``; raises ``InputError`` if the file has no such values."""
        require_shape(images, self._shape, self._path)
        session, names = showing_spikes(self._path, self._threads)
        results = _run(session, {IMAGE: images}, self._path)
        found = {name: results[name] for name in names}
        return {node: all_steps(found, node, time_steps, self._path) for node in nodes}


class OnnxStepRuntime:
    """``model_step.onnx``: called once a time step, its state starting at zero. Errors as ``OnnxRuntime``."""

    evidence: Evidence = "measured"

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._path, self._threads = path, threads
        self._session, self.facts, name = open_artifact(path, "step", threads)
        self.name = f"{name}, step by step"
        self._frames = Preprocessing.from_dict(self.facts["preprocessing"]).frames
        one, self._state = _ends(self._session, path)
        self._shape = one if self._frames == 1 else (self._frames, *one)

    def scores(self, images: Images) -> Scores:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W] or [n, T, C, H, W]."""
        require_shape(images, self._shape, self._path)
        return batches(images, batch_size(images), self._all_steps)

    def spikes(self, images: Images, nodes: Sequence[str], time_steps: int) -> dict[str, Spikes]:
        """Spikes uint8 [T, n, C, H, W] of ``nodes``; raises ``InputError`` if the file has no such values."""
        require_shape(images, self._shape, self._path)
        session, names = showing_spikes(self._path, self._threads)
        found = {
            f"{name}.t{step}": results[name]
            for step, results in enumerate(self._steps(images, session))
            for name in names
        }
        return {node: all_steps(found, node, time_steps, self._path) for node in nodes}

    def _all_steps(self, chunk: Images) -> Scores:
        for results in self._steps(chunk, self._session):
            scores: Scores = results[SCORES]
        return scores

    def _steps(self, chunk: Images, session: Any) -> Iterator[dict[str, Any]]:
        """What every time step gives."""
        state = {name: np.zeros((len(chunk), *shape), np.float32) for name, shape in self._state.items()}
        for step in range(self.facts["time_steps"]):
            seen = chunk if self._frames == 1 else chunk[:, step]
            results = _run(session, {IMAGE: seen, **state}, self._path)
            state = {name: results[name + NEXT] for name in state}
            yield results


def open_artifact(path: Path, form: Form, threads: int) -> tuple[Any, dict[str, Any], str]:
    """Check the file and start a session: (session, facts, name of the runtime)."""
    model = load(path)
    facts = facts_of(model, str(path))
    if facts["form"] != form:
        raise InputError(
            f"{path} is the {facts['form']} form of a network, not the {form} form; name the other file"
        )
    session, version = new_session(model, path, threads)
    return session, facts, f"ONNX Runtime {version}"


def showing_spikes(path: Path, threads: int) -> tuple[Any, list[str]]:
    """A session of the file in memory with all spikes among its outputs, and the names of these."""
    model = load(path)
    given = {entry.name for entry in model.graph.output}
    names = [
        name for node in model.graph.node for name in node.output if SPIKES in name and name not in given
    ]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return new_session(model, path, threads)[0], names


def new_session(
    model: onnx.ModelProto, path: Path, threads: int, *, as_written: bool = False
) -> tuple[Any, str]:
    """A session of a checked model, and the version of the runtime; ``as_written``: no operator is changed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ToolMissingError(
            f"onnxruntime cannot be loaded ({error}); `pip install onnxruntime`"
        ) from error
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        # From bytes, because a session without a file name can resolve no path; written anew, so that what
        # runs is what was checked.
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except Exception as error:  # onnxruntime's errors have no base class of their own
        raise InputError(f"ONNX Runtime cannot load {path}: {first_line(error)}; export it again") from error
    return session, onnxruntime.__version__


def _ends(session: Any, path: Path) -> tuple[tuple[int, ...], dict[str, tuple[int, ...]]]:
    """Shape of an image and of each state, without the batch; ``InputError`` if the ends are foreign."""
    inputs = {entry.name: (entry.type, tuple(entry.shape[1:])) for entry in session.get_inputs()}
    kind, image = inputs.pop(IMAGE, ("", ()))
    good = kind == "tensor(uint8)" and len(image) in (3, 4)
    good = good and all(entry[0] == "tensor(float)" for entry in inputs.values())
    shapes = [image, *(shape for _, shape in inputs.values())]
    good = good and all(isinstance(extent, int) and extent > 0 for shape in shapes for extent in shape)
    good = good and sum(map(prod, shapes)) <= MAX_ELEMENTS
    wanted = {SCORES} | {name + NEXT for name in inputs}
    if (
        not good
        or {entry.name for entry in session.get_outputs()} != wanted
        or (inputs and COUNTS not in inputs)
    ):
        raise InputError(f"{path} has other inputs or outputs than this toolchain writes; export it again")
    return image, {name: shape for name, (_, shape) in inputs.items()}


def run_session(session: Any, feeds: dict[str, Any], path: Path) -> dict[str, Any]:
    """All outputs by name; raises ``InputError`` if ONNX Runtime fails."""
    names = [entry.name for entry in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, feeds), strict=True))
    except Exception as error:  # onnxruntime's errors have no base class of their own
        raise InputError(f"ONNX Runtime cannot run {path}: {first_line(error)}; export it again") from error


def _run(session: Any, feeds: dict[str, Any], path: Path) -> dict[str, Any]:
    results = run_session(session, feeds, path)
    scores = results[SCORES]
    if scores.dtype != np.int32 or scores.ndim != 2 or len(scores) != len(feeds[IMAGE]):
        raise InputError(f"{path} gives {scores.dtype} {list(scores.shape)} and not scores; export it again")
    return results
