"""Collects operators and constants into a TFLite model; knows nothing of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.operators import OPERATORS, TYPES, Tensor, infer


class Builder:
    """Values are known by the index of their tensor. The same operator on the same inputs is emitted once,
    however often it is asked for: what does not change over the time steps is therefore computed once."""

    def __init__(self) -> None:
        self.schema = schema.load()
        self._model = self.schema.ModelT()
        self._model.version = schema.VERSION
        self._model.operatorCodes = []
        self._model.buffers = [self.schema.BufferT()]
        self._model.metadata = []
        self._graph = self.schema.SubGraphT()
        self._graph.name = "main"
        self._graph.tensors = []
        self._graph.operators = []
        self._tensors: list[Tensor] = []
        self._codes: dict[str, int] = {}
        self._constants: dict[str, int] = {}
        self._values: dict[tuple[Any, ...], int] = {}

    def input(self, name: str, shape: Sequence[int], dtype: str) -> int:
        """The model's one input; asking again gives the same."""
        if not self._graph.inputs:
            self._graph.inputs = [self._tensor(name, Tensor(tuple(shape), dtype))]
        return int(self._graph.inputs[0])

    def constant(self, name: str, array: NDArray[Any]) -> int:
        """Store ``array`` under ``name``; asking again with the same name gives the stored one."""
        if name not in self._constants:
            tensor = Tensor(array.shape, str(array.dtype), array)
            self._constants[name] = self._tensor(name, tensor, self._buffer(array.tobytes()))
        return self._constants[name]

    def weight(self, name: str, array: NDArray[np.int8]) -> int:
        """Store int8 weights, and return their float32 values.

        The operator that converts them is explicit: a float convolution that is given an int8 filter
        quantizes its input, and is then no longer exact.
        """
        stored = self.constant(name, array)
        quantization = self.schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [1.0], [0]
        self._graph.tensors[stored].quantization = quantization
        return self.op("DEQUANTIZE", [stored], f"{name}.float")

    def op(self, kind: str, inputs: Sequence[int], output: str, **options: Any) -> int:
        """Emit an operator whose output tensor is called ``output``, and return that (or that of an equal one)."""
        key = (kind, *inputs, repr(sorted(options.items())))
        if key not in self._values:
            result = infer(kind, [self._tensors[index] for index in inputs], options)
            self._values[key] = self._tensor(output, result)
            operator = self.schema.OperatorT()
            operator.opcodeIndex = self._code(kind)
            operator.inputs, operator.outputs = list(inputs), [self._values[key]]
            table = OPERATORS[kind].table
            if table is not None:
                operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, table)
                operator.builtinOptions = getattr(self.schema, f"{table}T")()
                for name, value in options.items():
                    setattr(operator.builtinOptions, name, value)
            self._graph.operators.append(operator)
        return self._values[key]

    def cast(self, value: int, output: str, dtype: str) -> int:
        """Emit a conversion to another element type."""
        before = self._tensors[value].dtype
        return self.op("CAST", [value], output, inDataType=TYPES[before], outDataType=TYPES[dtype])

    def model(self, output: int, metadata: Mapping[str, bytes], description: str) -> bytes:
        """Serialize the model with one output and the given metadata buffers."""
        for name, content in metadata.items():
            entry = self.schema.MetadataT()
            entry.name, entry.buffer = name, self._buffer(content)
            self._model.metadata.append(entry)
        self._graph.outputs = [output]
        self._model.subgraphs = [self._graph]
        self._model.description = description
        return pack(self._model)

    def _tensor(self, name: str, described: Tensor, buffer: int = 0) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(described.shape), buffer
        tensor.type = TYPES[described.dtype]
        self._graph.tensors.append(tensor)
        self._tensors.append(described)
        return len(self._tensors) - 1

    def _buffer(self, content: bytes) -> int:
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

    def _code(self, kind: str) -> int:
        if kind not in self._codes:
            code = self.schema.OperatorCodeT()
            code.builtinCode = getattr(self.schema.BuiltinOperator, kind)
            # Older readers know only this field; every operator here is below its end.
            code.deprecatedBuiltinCode = code.builtinCode
            code.version = OPERATORS[kind].version
            self._codes[kind] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        return self._codes[kind]
