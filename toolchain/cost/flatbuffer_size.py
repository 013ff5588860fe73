"""How many bytes a FlatBuffers file takes, without writing it.

The layout is that of the FlatBuffers builder (flatbuffers.dev, "Internals"): a file grows from its end, each number is
aligned to its size, and tables with the same fields at the same distances share the list of these distances. What is
aligned depends on all that was written before, so parts are added in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Sequence

OFFSET_BYTES = 4
"""Of an offset, a length, and of what leads from a table to its list of fields."""

Field = tuple[int, int]
"""Number of a table's field, in the schema's order, and the bytes of its value."""


class FlatbufferSize:
    """The parts of a file that were added so far take ``size_bytes``, counted from its end."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._most_aligned = 1
        self._lists: set[tuple[int, ...]] = set()

    def vector(self, count: int, element_bytes: int, alignment_bytes: int | None = None) -> None:
        """A list of numbers or offsets."""
        content = count * element_bytes
        self._align(OFFSET_BYTES, content)
        self._align(alignment_bytes or element_bytes, content)
        self.size_bytes += content + OFFSET_BYTES

    def text(self, length_bytes: int) -> None:
        """A text of so many bytes, which ends with a zero."""
        self._align(OFFSET_BYTES, length_bytes + 1)
        self.size_bytes += length_bytes + 1 + OFFSET_BYTES

    def table(self, fields: Sequence[Field]) -> None:
        """A table whose other fields have their defaults, so that they are not stored."""
        end, places = self.size_bytes, {}
        for number, field_bytes in fields:
            self._align(field_bytes, 0)
            self.size_bytes += field_bytes
            places[number] = self.size_bytes
        self._align(OFFSET_BYTES, 0)
        self.size_bytes += OFFSET_BYTES
        here = self.size_bytes
        distances = [
            here - places[number] if number in places else 0 for number in range(max(places, default=-1) + 1)
        ]
        shared = (here - end, *distances)
        if shared not in self._lists:
            self._lists.add(shared)
            self.size_bytes += 2 * (1 + len(shared))

    def finish(self) -> int:
        """Bytes of the file with its root's offset and its four letters."""
        self._align(self._most_aligned, 2 * OFFSET_BYTES)
        self.size_bytes += 2 * OFFSET_BYTES
        return self.size_bytes

    def _align(self, alignment_bytes: int, following_bytes: int) -> None:
        """Fill up so that what ends ``following_bytes`` further on is aligned."""
        self._most_aligned = max(self._most_aligned, alignment_bytes)
        self.size_bytes += -(self.size_bytes + following_bytes) % alignment_bytes
