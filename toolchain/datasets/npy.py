"""Reading one untrusted array in numpy's ``.npy`` format; nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.limits import check_memory
from toolchain.errors import InputError

# numpy 1 has no types for its own format.
_npy: Any = np.lib.format


def read_array(
    name: str, size_bytes: int, opened: Callable[[], AbstractContextManager[IO[bytes]]]
) -> NDArray[Any]:
    """The array called ``name``, after its header has been checked against its ``size_bytes`` and the memory.

    ``opened`` opens the content from its beginning; it is called twice. Raises ``InputError``.
    """
    try:
        with opened() as stream:
            shape, dtype = _header(stream)
            if dtype.hasobject:
                raise InputError(
                    f"{name} holds Python objects, which are never unpickled; save plain numbers"
                )
            n_bytes = prod(shape) * dtype.itemsize
            if n_bytes + stream.tell() != size_bytes:
                raise InputError(
                    f"{name} is not as long as its header's {list(shape)} of {dtype}; save it again"
                )
            check_memory(n_bytes, f"{name} of shape {list(shape)}", "save fewer or smaller images")
        with opened() as stream:
            array: NDArray[Any] = _npy.read_array(stream, allow_pickle=False)
            return array
    except InputError:
        raise
    # A hostile header reaches numpy's parser, which raises whatever its tokens lead to.
    except Exception as error:
        detail = " ".join(str(error).split())[:200]
        raise InputError(f"{name} is not a plain numpy array: {detail}") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = _npy.read_magic(stream)
    readers = {(1, 0): _npy.read_array_header_1_0, (2, 0): _npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the .npy format is not read")
    shape, _, dtype = readers[version](stream)
    return shape, dtype
