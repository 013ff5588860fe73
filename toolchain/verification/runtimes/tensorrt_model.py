"""Files for TensorRT in ONNX Runtime on this machine: the same operators, image by image, in float32 and int8."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from exporters.onnx.lowering import IMAGE
from exporters.onnx.read import load
from exporters.onnx.tensorrt import VALUES
from toolchain.errors import InputError
from toolchain.verification.runtimes.base import Evidence
from toolchain.verification.runtimes.batches import require_shape
from toolchain.verification.runtimes.onnxruntime import (
    MAX_ELEMENTS,
    new_session,
    open_artifact,
    run_session,
    showing_spikes,
)
from toolchain.verification.runtimes.spikes import Spikes, all_steps

MAX_EXPONENT = 64
"""Scores have 24 bits, and units of a regression's numbers are 2**-30 to 2**30."""

NO_INTEGER = np.iinfo(np.int32).min
"""Stands for a value that is no score; no network has this one."""


class TensorrtModel:
    """``model_tensorrt.onnx`` or ``model_tensorrt_int8.onnx`` on one thread; errors as ``OnnxRuntime``."""

    evidence: Evidence = "measured"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session, self.facts, name = open_artifact(path, "tensorrt", 1)
        self.name = f"{name}, not TensorRT"
        self._shape = _ends(self._session, path)
        self._exponents = _exponents(self.facts, path)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W] or [n, T, C, H, W].

        What is not a whole number is ``NO_INTEGER``.
        """
        require_shape(images, self._shape, self.path)
        scaled = np.ldexp(
            _values(self._session, images, len(self._exponents), self.path).astype(np.float64),
            self._exponents,
        )
        whole = (scaled == np.rint(scaled)) & (np.abs(scaled) < 2.0**31)
        return np.where(whole, scaled, NO_INTEGER).astype(np.int32)

    def spikes(self, images: NDArray[np.uint8], nodes: Sequence[str], time_steps: int) -> dict[str, Spikes]:
        """Spikes uint8 [T, n, C, H, W] of ``nodes``; raises ``InputError`` if the file has no such values."""
        require_shape(images, self._shape, self.path)
        session, names = showing_spikes(self.path, 1)
        each = [run_session(session, _fed(images[index]), self.path) for index in range(len(images))]
        found = {name: np.concatenate([results[name] for results in each]) for name in names}
        return {node: all_steps(found, node, time_steps, self.path) for node in nodes}

    def values_in_float16(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values float32 [n, classes] if all constants and what each operator gives are rounded to float16.

        Sums within an operator are float32, as they may be in TensorRT, which can also do worse. Emulated.
        """
        require_shape(images, self._shape, self.path)
        model = _in_float16(load(self.path))
        session, _ = new_session(model, self.path, 1, as_written=True)
        return _values(session, images, len(self._exponents), self.path)


def _values(session: Any, images: NDArray[np.uint8], classes: int, path: Path) -> NDArray[np.float32]:
    """Values float32 [n, classes] of ``images``, one at a time."""
    found = np.zeros((len(images), classes), np.float32)
    for index, image in enumerate(images):
        given = run_session(session, _fed(image), path)[VALUES]
        if given.dtype != np.float32 or given.shape != (1, classes):
            raise InputError(
                f"{path} gives {given.dtype} {list(given.shape)} and not values; export it again"
            )
        found[index] = given[0]
    return found


def _fed(image: NDArray[np.uint8]) -> dict[str, Any]:
    return {IMAGE: image[np.newaxis].astype(np.float32)}


def _ends(session: Any, path: Path) -> tuple[int, ...]:
    """Shape of an image; ``InputError`` if the ends are foreign."""
    given, wanted = session.get_inputs(), [entry.name for entry in session.get_outputs()]
    shape = tuple(given[0].shape) if given else ()
    good = len(given) == 1 and given[0].name == IMAGE and given[0].type == "tensor(float)"
    good = good and len(shape) in (4, 5) and all(isinstance(each, int) and each > 0 for each in shape)
    if not good or shape[0] != 1 or prod(shape) > MAX_ELEMENTS or wanted != [VALUES]:
        raise InputError(f"{path} has other inputs or outputs than this toolchain writes; export it again")
    return shape[1:]


def _exponents(facts: dict[str, Any], path: Path) -> NDArray[np.int32]:
    """The exponent of each score."""
    if "score_exponents" in facts:
        exponents = facts["score_exponents"]
    else:
        exponents = [facts["score_exponent"]] * len(facts["labels"])
    if any(abs(exponent) > MAX_EXPONENT for exponent in exponents):
        raise InputError(
            f"{path} has broken metadata: an exponent of scores is beyond {MAX_EXPONENT}; export it again"
        )
    return np.array(exponents, np.int32)


def _in_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with float constants rounded to float16, and two casts behind each operator that gives float32."""
    graph = model.graph
    exact = {name for node in graph.node if node.op_type.endswith("Linear") for name in node.input[1:]}
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name not in exact:
            with np.errstate(over="ignore"):  # infinite, as it would be there
                rounded = onnx.numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(rounded, tensor.name))
    nodes = []
    for node in graph.node:
        nodes.append(node)
        if node.op_type == "QuantizeLinear":
            continue
        (output,) = node.output
        node.output[0] = f"{output}.exact"
        nodes += [
            onnx.helper.make_node("Cast", [node.output[0]], [f"{output}.half"], to=onnx.TensorProto.FLOAT16),
            onnx.helper.make_node("Cast", [f"{output}.half"], [output], to=onnx.TensorProto.FLOAT),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    return model
