"""Collects operators and constants into an ONNX model; knows nothing of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from exporters.codes import packed

Extents = Sequence[int | str]
"""Extents of a model's input or output; a string names one that is free."""


class Builder:
    """Values are known by their names. The same operator on the same inputs is emitted once, however often it
    is asked for: what does not change over the time steps is therefore computed once."""

    def __init__(self) -> None:
        self._constants: dict[str, TensorProto] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._values: dict[tuple[Any, ...], str] = {}

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store ``array`` under ``name``; asking again with the same name gives the stored one."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def int4(self, name: str, codes: NDArray[Any]) -> str:
        """Store ``codes``, -8 to 7, as INT4 under ``name``: two a byte, the first in the low bits."""
        flat = np.append(codes.reshape(-1), np.zeros(codes.size % 2, codes.dtype))
        content = packed(flat.reshape(-1, 2).T, 4) ^ 0x88  # which adds 8 to each; ONNX wants two's complement
        tensor = helper.make_tensor(name, TensorProto.INT4, codes.shape, content.tobytes(), raw=True)
        self._constants.setdefault(name, tensor)
        return name

    def channels(self, name: str, values: NDArray[np.float32]) -> str:
        """A constant [channels] that applies to maps [N, channels, H, W]."""
        return self.constant(name, values.reshape(1, -1, 1, 1))

    def weight(self, name: str, array: NDArray[np.int8]) -> str:
        """Store int8 weights, and return their float32 values."""
        return self.op("Cast", [self.constant(name, array)], f"{name}.float", to=TensorProto.FLOAT)

    def op(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Emit an operator and return the name of its output: ``output``, or that of an equal operator."""
        key = (kind, *inputs, repr(sorted(attributes.items())))
        if key not in self._values:
            self._values[key] = output
            self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return self._values[key]

    def model(
        self,
        inputs: Mapping[str, tuple[int, Extents]],
        outputs: Mapping[str, tuple[int, Extents]],
        *,
        opset: int,
        ir_version: int,
        properties: Mapping[str, str],
        producer: tuple[str, str],
        description: str,
    ) -> onnx.ModelProto:
        """Assemble and check the model; inputs and outputs are name -> (element type, extents)."""
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
            list(self._constants.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=ir_version,
            producer_name=producer[0],
            producer_version=producer[1],
            doc_string=description,
        )
        helper.set_model_props(model, dict(properties))
        onnx.checker.check_model(model, full_check=True)
        return model
