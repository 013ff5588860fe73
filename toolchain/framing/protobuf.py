"""Protobuf's framing, and nothing but it: which fields a message has, and where (protobuf's "Encoding" page).

A parser makes objects of everything that it meets, and two bytes can ask for an object of hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from toolchain.framing.mapped import Budget, Content, Damaged

VARINT, BYTES = 0, 2
_FIXED = {1: 8, 5: 4}


class Field(NamedTuple):
    """A field's number, how it is written, and the range of its content (of a ``VARINT``: of its bytes)."""

    number: int
    wire: int
    start: int
    end: int


class Reader:
    """Reads messages in ``content``; raises ``Damaged`` where the framing leaves its range."""

    def __init__(self, content: Content, budget: Budget | None = None) -> None:
        self.content, self.budget = content, budget or Budget()

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message in a range, in order."""
        position = start
        while position < end:
            self.budget.spend()
            tag, position = self._varint(position, end)
            wire = tag & 7
            if wire == VARINT:
                _, after = self._varint(position, end)
            elif wire == BYTES:
                length, position = self._varint(position, end)
                after = position + length
            elif wire in _FIXED:
                after = position + _FIXED[wire]
            else:
                raise Damaged
            if after > end or tag >> 3 == 0:
                raise Damaged
            yield Field(tag >> 3, wire, position, after)
            position = after

    def text(self, field: Field) -> str:
        """Content of a field that is a text."""
        if field.wire != BYTES:
            raise Damaged
        return self.budget.text(self.content, field.start, field.end)

    def integer(self, field: Field) -> int:
        """Value of a field that is a signed integer of 64 bits."""
        if field.wire != VARINT:
            raise Damaged
        value, _ = self._varint(field.start, field.end)
        return _signed(value)

    def integers(self, field: Field) -> list[int]:
        """Values of a repeated field of integers: one of them, or all, packed."""
        if field.wire == VARINT:
            return [self.integer(field)]
        if field.wire != BYTES:
            raise Damaged
        values, position = [], field.start
        while position < field.end:
            self.budget.spend()
            value, position = self._varint(position, field.end)
            values.append(_signed(value))
        return values

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if position >= end:
                raise Damaged
            byte = self.content[position]
            value |= (byte & 0x7F) << shift
            position += 1
            if byte < 0x80:
                return value, position
        raise Damaged


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
