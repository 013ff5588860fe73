"""The TFLite schema's object API. It comes with ``ai-edge-litert``; no TensorFlow is needed."""

from __future__ import annotations

from typing import Any

from toolchain.errors import ToolMissingError

IDENTIFIER = b"TFL3"
VERSION = 3

OPERATORS: dict[str, tuple[str | None, int]] = {
    "ADD": ("AddOptions", 1),
    "CAST": ("CastOptions", 1),
    "CONV_2D": ("Conv2DOptions", 1),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", 1),
    "DEQUANTIZE": ("DequantizeOptions", 2),
    "FLOOR": (None, 1),
    "FULLY_CONNECTED": ("FullyConnectedOptions", 1),
    "GREATER_EQUAL": ("GreaterEqualOptions", 1),
    "MAX_POOL_2D": ("Pool2DOptions", 1),
    "MUL": ("MulOptions", 1),
    "PAD": ("PadOptions", 1),
    "RESHAPE": ("ReshapeOptions", 1),
    "SUB": ("SubOptions", 1),
    "SUM": ("ReducerOptions", 1),
}
"""All operators that this exporter emits: options table, and the oldest version that has the types we use."""


def load() -> Any:
    """Return the schema module; raises ``ToolMissingError`` if it is not installed."""
    try:
        from ai_edge_litert import schema_py_generated
    except (ImportError, OSError) as error:
        raise ToolMissingError(
            f"the TFLite schema cannot be loaded ({error}); install it with `pip install ai-edge-litert`"
        ) from error
    return schema_py_generated
