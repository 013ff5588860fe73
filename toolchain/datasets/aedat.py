"""Recordings of an event camera in AEDAT 3.1 (docs.inivation.com, "AEDAT 3.1").

A file is lines of text that start with ``#``, the last of them ``#!END-HEADER``, and then packets: a header of 28
bytes and events of one type. A polarity event is two little-endian words: bit 0 of the first says that it is valid,
bit 1 is the polarity, bits 2 to 16 are the row and bits 17 to 31 the column; the second is the time in microseconds.

tonic 1.7.0 has a reader too, but its function for DVS-Gesture (``read_dvs_ibm``) fails on every file, and what is
below it takes packets of any type for polarities and allocates whatever a packet claims to hold.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError

_FIRST, _LAST = b"#!AER-DAT3.1", b"#!END-HEADER"
_MAX_LINES, _MAX_LINE_BYTES = 100, 4096

# Type, source, bytes of an event, offset of its time, overflows of the time, capacity, number, valid ones.
_PACKET = struct.Struct("<hhiiiiii")
_POLARITY, _POLARITY_BYTES = 1, 8
_MAX_OVERFLOWS = 1 << 20
_MAX_PACKETS = 1_000_000


@dataclass(frozen=True)
class Recording:
    """Events in the order of the file, int64 [n] each; ``time_us`` in the camera's own time."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    polarity: NDArray[np.int64]
    time_us: NDArray[np.int64]


def decode(data: bytes, name: str) -> Recording:
    """The polarity events of a file's content; packets of other types are passed over.

    Raises ``InputError``, which calls the file ``name``, if it is of another format or cut short.
    """
    position = _header_bytes(data, name)
    words, times = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for _ in range(_MAX_PACKETS):
        if position == len(data):
            break
        if position + _PACKET.size > len(data):
            raise _damaged(name, position)
        kind, _, size, _, overflows, capacity, _, _ = _PACKET.unpack_from(data, position)
        position += _PACKET.size
        if size < 1 or not 0 <= capacity <= (len(data) - position) // size:
            raise _damaged(name, position)
        if kind == _POLARITY:
            if size != _POLARITY_BYTES or not 0 <= overflows < _MAX_OVERFLOWS:
                raise _damaged(name, position)
            pairs = np.frombuffer(data, "<u4", 2 * capacity, position).reshape(-1, 2).astype(np.int64)
            words.append(pairs[:, 0])
            times.append(pairs[:, 1] + (overflows << 31))
        position += size * capacity
    else:
        raise InputError(f"{name} has more than {_MAX_PACKETS:,} packets; fetch the data set again")
    word = np.concatenate(words)
    return Recording((word >> 17) & 0x7FFF, (word >> 2) & 0x7FFF, (word >> 1) & 1, np.concatenate(times))


def _header_bytes(data: bytes, name: str) -> int:
    """Where the first packet begins."""
    position = 0
    for _ in range(_MAX_LINES):
        end = data.find(b"\n", position, position + _MAX_LINE_BYTES)
        line = data[position:end].rstrip(b"\r")
        if end < 0 or not line.startswith(b"#" if position else _FIRST):
            break
        position = end + 1
        if line == _LAST:
            return position
    raise InputError(f"{name} is not an AEDAT 3.1 recording; fetch the data set again")


def _damaged(name: str, position: int) -> InputError:
    return InputError(f"{name} is damaged or cut short at its byte {position:,}; fetch the data set again")
