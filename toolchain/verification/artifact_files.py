"""Whether a file is what its name says, without loading it: sizes of what is not an artifact mean nothing.

Its structure is read and checked, and nothing is run. A file that passes may still be refused by its runtime;
``verify`` tells.
"""

from __future__ import annotations

from pathlib import Path

from toolchain.errors import InputError
from toolchain.framing import onnx_parts, tflite_parts
from toolchain.framing.mapped import mapped, reading

_ARENA_PLAN = "OfflineMemoryAllocation"
"""Metadata in which a file for TensorFlow Lite Micro says where its tensors lie."""


def require_model(path: Path) -> int:
    """Size in bytes of the .onnx or .tflite file ``path``; raises ``InputError`` if it is not such a file.

    An ONNX file whose weights are in other files is refused, because its own size is not what it takes.
    """
    with mapped(path) as content:
        if path.suffix == ".tflite":
            with reading(path, "a TFLite"):
                tflite_parts.read_parts(content)
        else:
            with reading(path, "an ONNX"):
                parts = onnx_parts.read_parts(content)
            if any(constant.elsewhere for constant in parts.constants):
                raise InputError(
                    f"{path} keeps weights in other files, so its size cannot be checked; save it as one file"
                )
        return len(content)


def is_micro(path: Path) -> bool:
    """Whether the .tflite file ``path`` is for TensorFlow Lite Micro; raises ``InputError`` if it is no such file."""
    with mapped(path) as content, reading(path, "a TFLite"):
        return _ARENA_PLAN in tflite_parts.read_parts(content).metadata
