from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.models import written
from toolchain.errors import InputError
from toolchain.inspecting.safetensors_file import inspect_safetensors

ARRAYS = {
    "conv.weight": np.ones((4, 2, 3, 3), np.float32),
    "conv.bias": np.ones(4, np.int16),
    "steps": np.ones((), np.int64),
}


def test_tensors_and_metadata(tmp_path: Path) -> None:
    found = inspect_safetensors(written(tmp_path, "c.safetensors", save(ARRAYS, {"author": "somebody"})))
    assert [
        (tensor.name, tensor.dtype, tensor.shape, tensor.size_bytes, tensor.kind) for tensor in found.tensors
    ] == [
        ("conv.weight", "float32", (4, 2, 3, 3), 288, "weights"),
        ("conv.bias", "int16", (4,), 8, "biases"),
        ("steps", "int64", (), 8, "constants"),
    ]
    assert found.facts == {"author": "somebody"}
    assert sum(found.by_kind.values()) == found.size_bytes


def file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(shape: Any = (2,), offsets: Any = (0, 2), dtype: Any = "I8") -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(8), "is not a safetensors file"),
        ((1 << 60).to_bytes(8, "little") + b"{}", "is not a safetensors file"),
        (file(b"[" * 100_000), "is not a safetensors file"),
        (file([1]), "is not a safetensors file"),
        (file({"a": 1}), "is not a safetensors file"),
        (file({"__metadata__": {"a": 1}}), "is not a safetensors file"),
        (file(entry(), b"ab")[:-1], "lie outside the file"),
        (file(entry(), b"abc"), "bytes behind them"),
        (file(entry(offsets=(1, 3)), b"abc"), "bytes between them"),
        (file(entry() | {"b": entry()["a"]}, b"ab"), "overlap"),
        (file(entry(shape=(1 << 50,)), b"ab"), "with the shape"),
        (file(entry(shape=(-2,)), b"ab"), "with the shape"),
        (file(entry(shape=(3,)), b"ab"), "whose shape needs 3"),
        (file(entry(shape=(True, 2)), b"ab"), "is not a safetensors file"),
        (file(entry(dtype="X9"), b"ab"), "is not a safetensors file"),
        (file(entry(dtype=["I8"]), b"ab"), "is not a safetensors file"),
        (file(b" " * (5 << 20)), "has a header of 5,242,880 bytes"),
    ],
)
def test_what_cannot_be_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason):
        inspect_safetensors(written(tmp_path, "c.safetensors", content))
