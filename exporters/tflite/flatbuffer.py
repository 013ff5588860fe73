"""A TFLite model's object tree to bytes, with the alignment that interpreters expect of mapped constants."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np

from exporters.tflite.schema import IDENTIFIER

ALIGNMENT_BYTES = 16
"""``force_align`` of Buffer.data in the schema, which the generated Python code does not honour."""


class _Builder(flatbuffers.Builder):
    """Aligns byte vectors, which are the buffers; interpreters read int32 and float32 from them in place."""

    _aligned = False

    def CreateNumpyVector(self, x: np.ndarray) -> Any:
        self._aligned = x.dtype == np.uint8
        return super().CreateNumpyVector(x)

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:
        if self._aligned:
            self._aligned, alignment = False, ALIGNMENT_BYTES
        return super().StartVector(elemSize, numElems, alignment)


def pack(model: Any) -> bytes:
    """Serialize a ``ModelT``. The same tree gives the same bytes."""
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
