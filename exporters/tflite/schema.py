"""The TFLite schema's object API. It comes with ``ai-edge-litert``; no TensorFlow is needed."""

from __future__ import annotations

from typing import Any

from toolchain.errors import ToolMissingError

IDENTIFIER = b"TFL3"
VERSION = 3


def load() -> Any:
    """Return the schema module; raises ``ToolMissingError`` if it is not installed."""
    try:
        from ai_edge_litert import schema_py_generated
    except (ImportError, OSError) as error:
        raise ToolMissingError(
            f"the TFLite schema cannot be loaded ({error}); install it with `pip install ai-edge-litert`"
        ) from error
    return schema_py_generated
