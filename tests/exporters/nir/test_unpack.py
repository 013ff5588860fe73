"""What an HDF5 file holds comes back as it was; what no NIR file needs is attacked in tests/attacks/test_nir.py."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exporters.nir import unpack

h5py = pytest.importorskip("h5py")


def written(fill: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["int8", "uint16", "<i8", ">i4", "float16", "<f4", ">f8"])
def test_numbers_come_back_little_endian(dtype: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    arrays, texts = unpack.collect(written(lambda file: file.create_dataset("a/b", data=values)))
    assert (list(arrays), texts) == (["a/b"], {})
    np.testing.assert_array_equal(arrays["a/b"], values)
    assert arrays["a/b"].dtype == values.dtype.newbyteorder("<")


@pytest.mark.parametrize("packed", [{"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}])
def test_packed_numbers_are_unpacked(packed: dict[str, Any]) -> None:
    values = np.arange(1000, dtype=np.int16)
    arrays, _ = unpack.collect(
        written(lambda file: file.create_dataset("x", data=values, chunks=(100,), fletcher32=True, **packed))
    )
    np.testing.assert_array_equal(arrays["x"], values)


def test_texts_and_lists_of_them() -> None:
    def fill(file: Any) -> None:
        file["one"] = "words"
        file["many"] = ["a", "b"]
        file["pairs"] = np.array([["a", "b"], ["c", "d"]], object)

    arrays, texts = unpack.collect(written(fill))
    assert arrays == {}
    assert texts == {"one": "words", "many": ["a", "b"], "pairs": [["a", "b"], ["c", "d"]]}


def test_no_bytes_at_all_are_refused() -> None:
    with pytest.raises(unpack.Refused, match="is not an HDF5 file, or is damaged"):
        unpack.collect(b"")
