"""Collects operators, constants and other tensors into a TFLite model; knows nothing of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.tflite import schema
from exporters.tflite.flatbuffer import pack
from exporters.tflite.operators import OPERATORS, TYPES, Operator, Tensor, infer


class Builder:
    """Values are known by the index of their tensor. The same operator on the same inputs is emitted once,
    however often it is asked for: what does not change over the time steps is therefore computed once."""

    def __init__(self, operators: Mapping[str, Operator] = OPERATORS) -> None:
        self.schema, self._operators = schema.load(), operators
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
            self._graph.inputs = [self.tensor(name, Tensor(tuple(shape), dtype))]
        return int(self._graph.inputs[0])

    def constant(self, name: str, array: NDArray[Any]) -> int:
        """Store ``array`` under ``name``; asking again with the same name gives the stored one."""
        if name not in self._constants:
            tensor = Tensor(array.shape, str(array.dtype), array)
            self._constants[name] = self.tensor(name, tensor)
        return self._constants[name]

    def weight(self, name: str, array: NDArray[np.int8]) -> int:
        """Store int8 weights, and return their float32 values.

        The operator that converts them is explicit: a float convolution that is given an int8 filter
        quantizes its input, and is then no longer exact.
        """
        stored = self.constant(name, array)
        self.quantize(stored, [1.0])
        return self.op("DEQUANTIZE", [stored], f"{name}.float")

    def op(self, kind: str, inputs: Sequence[int], output: str, **options: Any) -> int:
        """Emit an operator whose output tensor is called ``output``, and return that (or that of an equal one)."""
        key = (kind, *inputs, repr(sorted(options.items())))
        if key not in self._values:
            self._values[key] = self.emit(kind, inputs, output, **options)
        return self._values[key]

    def emit(self, kind: str, inputs: Sequence[int], output: str | int, **options: Any) -> int:
        """Emit an operator, even if there is an equal one; ``output`` is a tensor or the name of a new one."""
        result = infer(kind, [self._tensors[index] for index in inputs], options, self._operators)
        if isinstance(output, str):
            output = self.tensor(output, result)
        assert self._tensors[output] == result, (kind, self._tensors[output], result)
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self._code(kind)
        operator.inputs, operator.outputs = list(inputs), [output]
        table = self._operators[kind].table
        if table is not None:
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, table)
            operator.builtinOptions = getattr(self.schema, f"{table}T")()
            for name, value in options.items():
                setattr(operator.builtinOptions, name, value)
        self._graph.operators.append(operator)
        return output

    def cast(self, value: int, output: str, dtype: str) -> int:
        """Emit a conversion to another element type."""
        before = self._tensors[value].dtype
        return self.op("CAST", [value], output, inDataType=TYPES[before], outDataType=TYPES[dtype])

    def model(
        self,
        outputs: Sequence[int],
        metadata: Mapping[str, bytes],
        description: str,
        inputs: Sequence[int] = (),
    ) -> bytes:
        """Serialize the model with these outputs and metadata buffers; its inputs, unless given, are as asked for."""
        if inputs:
            self._graph.inputs = list(inputs)
        for name, content in metadata.items():
            entry = self.schema.MetadataT()
            entry.name, entry.buffer = name, self._buffer(content)
            self._model.metadata.append(entry)
        self._graph.outputs = list(outputs)
        self._model.subgraphs = [self._graph]
        self._model.description = description
        return pack(self._model)

    def tensor(self, name: str, described: Tensor) -> int:
        """Add a tensor, which is a constant if it has values; no name takes no bytes."""
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name or None, list(described.shape), TYPES[described.dtype]
        tensor.buffer = 0 if described.values is None else self._buffer(described.values.tobytes())
        self._graph.tensors.append(tensor)
        self._tensors.append(described)
        return len(self._tensors) - 1

    def quantize(self, tensor: int, scales: Sequence[float], zero_point: int = 0, axis: int = 0) -> None:
        """Say what the integers of a tensor stand for: one scale, or one for each place along ``axis``."""
        quantization = self.schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = list(scales), [zero_point] * len(scales)
        quantization.quantizedDimension = axis
        self._graph.tensors[tensor].quantization = quantization

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
            code.version = self._operators[kind].version
            self._codes[kind] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        return self._codes[kind]
