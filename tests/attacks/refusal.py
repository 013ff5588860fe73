"""How every hostile input must end."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc

import pytest

from toolchain.errors import InputError

MEBI = 1024**2


@contextlib.contextmanager
def refused(words, most_bytes=16 * MEBI):
    """The block raises ``InputError`` in one line and allocates no more than ``most_bytes`` at a time."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=words) as caught:
            yield
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def understate(path):
    """Declare the last entry of an archive to unpack to 1,000 bytes, whatever it holds."""
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path.write_bytes(data)
    return path
