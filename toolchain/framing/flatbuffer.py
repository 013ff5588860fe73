"""Flatbuffers' framing with every offset checked (FlatBuffers internals, "Format components").

The flatbuffers library trusts a file's offsets, and parts of a file may be shared: a few bytes can ask for as many
copies of a long text as there are tensors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toolchain.framing.mapped import Budget, Content, Damaged

_SIZES = {"B": 1, "b": 1, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8}


class Table:
    """The table at ``position``; its fields are known by their number in the schema, counted from 0.

    Raises ``Damaged`` where an offset, a length or the budget leaves its bounds.
    """

    def __init__(self, content: Content, position: int, budget: Budget) -> None:
        self.content, self.position, self.budget = content, position, budget
        budget.spend()
        self._vtable = position - self._number("i", position)
        self._fields = (self._number("H", self._vtable) - 4) // 2
        self._size = self._number("H", self._vtable + 2)
        if self._fields < 0 or position + self._size > len(content):
            raise Damaged

    @classmethod
    def root(cls, content: Content) -> Table:
        """The table that the file begins with."""
        if len(content) < 8:
            raise Damaged
        (position,) = struct.unpack_from("<I", content, 0)
        return cls(content, position, Budget())

    def integer(self, field: int, kind: str, default: int = 0) -> int:
        """A number of the struct format ``kind``."""
        position = self._field(field, _SIZES[kind])
        return self._number(kind, position) if position else default

    def table(self, field: int) -> Table | None:
        """A table, None if it is not there."""
        position = self._field(field, 4)
        return Table(self.content, self._offset(position), self.budget) if position else None

    def tables(self, field: int) -> Iterator[Table]:
        """A vector of tables."""
        start, count = self.vector(field, 4)
        for index in range(count):
            yield Table(self.content, self._offset(start + 4 * index), self.budget)

    def integers(self, field: int, kind: str = "i") -> tuple[int, ...]:
        """A vector of numbers."""
        start, count = self.vector(field, _SIZES[kind])
        self.budget.spend(count)
        return struct.unpack_from(f"<{count}{kind}", self.content, start) if count else ()

    def text(self, field: int) -> str:
        """A text, empty if it is not there."""
        start, count = self.vector(field, 1)
        return self.budget.text(self.content, start, start + count)

    def vector(self, field: int, item_bytes: int) -> tuple[int, int]:
        """Where a vector's items begin, and how many there are; (0, 0) if it is not there."""
        position = self._field(field, 4)
        if not position:
            return 0, 0
        start = self._offset(position)
        count = self._number("I", start)
        if start + 4 + count * item_bytes > len(self.content):
            raise Damaged
        return start + 4, count

    def _field(self, field: int, size: int) -> int:
        """Position of a field's content, 0 if the table does not have it."""
        self.budget.spend()
        if field >= self._fields:
            return 0
        offset = self._number("H", self._vtable + 4 + 2 * field)
        if offset and (offset < 4 or offset + size > self._size):
            raise Damaged
        return self.position + offset if offset else 0

    def _offset(self, position: int) -> int:
        return position + self._number("I", position)

    def _number(self, kind: str, position: int) -> int:
        if not 0 <= position <= len(self.content) - _SIZES[kind]:
            raise Damaged
        value: int = struct.unpack_from(f"<{kind}", self.content, position)[0]
        return value
