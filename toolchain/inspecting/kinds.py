"""Which stored tensors are weights and which are biases, told by the operators that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolchain.framing.parts import Operator
from toolchain.inspecting.structure import Kind

_WEIGHTS: dict[str, tuple[int, ...]] = {
    # ONNX
    "Conv": (1,), "ConvTranspose": (1,), "ConvInteger": (1,), "Gemm": (0, 1), "MatMul": (0, 1),
    "MatMulInteger": (0, 1), "QLinearConv": (3,), "QLinearMatMul": (0, 3), "LSTM": (1, 2), "GRU": (1, 2), "RNN": (1, 2),
    # TFLite
    "CONV_2D": (1,), "DEPTHWISE_CONV_2D": (1,), "FULLY_CONNECTED": (1,), "TRANSPOSE_CONV": (1,), "CONV_3D": (1,),
    "BATCH_MATMUL": (0, 1), "SVDF": (1, 2),
}  # fmt: skip
_BIASES = {
    "Conv": 2, "ConvTranspose": 2, "Gemm": 2, "QLinearConv": 8, "LSTM": 3, "GRU": 3, "RNN": 3,
    "CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3, "CONV_3D": 2, "SVDF": 3,
}  # fmt: skip
"""Operator -> positions of its weights, and of its bias (ONNX operators, and the schema of TFLite)."""


def kinds(operators: Iterable[Operator], stored_bytes: Mapping[str, int]) -> dict[str, Kind]:
    """The kind of each stored tensor, given name -> bytes; ``operators`` come in the order in which they run.

    Weights may be unpacked or converted on the way: what is computed from stored tensors alone counts for the
    largest of them.
    """
    origin = {name: name for name in stored_bytes}
    found: dict[str, Kind] = {
        name: "biases" if name.endswith("bias") else "constants" for name in stored_bytes
    }
    for operator in operators:
        roots = [origin.get(name) for name in operator.inputs]
        weights, bias = _WEIGHTS.get(operator.name, ()), _BIASES.get(operator.name)
        for position, root in enumerate(roots):
            if root is not None and position in weights:
                found[root] = "weights"
            elif root is not None and position == bias:
                found[root] = "biases"
        known = [root for root in roots if root is not None]
        if known and len(known) == sum(map(bool, operator.inputs)):
            largest = max(known, key=lambda name: stored_bytes[name])
            origin.update((name, largest) for name in operator.outputs if name not in stored_bytes)
    return found
