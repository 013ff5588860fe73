"""The two framings: what they give of good files is tested with the formats; here is what they refuse."""

from __future__ import annotations

import struct

import pytest

from toolchain.framing.flatbuffer import Table
from toolchain.framing.mapped import Budget, Damaged
from toolchain.framing.protobuf import Reader


def fields(content: bytes, steps: int = 1000) -> list[tuple[int, int, int]]:
    reader = Reader(content, Budget(steps))
    return [(entry.number, entry.start, entry.end) for entry in reader.fields(0, len(content))]


def test_fields_of_every_kind() -> None:
    content = b"\x08\x96\x01" + b"\x12\x03abc" + b"\x1d" + bytes(4) + b"\x21" + bytes(8)
    assert fields(content) == [(1, 1, 3), (2, 5, 8), (3, 9, 13), (4, 14, 22)]
    reader = Reader(content)
    first, second, *_ = reader.fields(0, len(content))
    assert (reader.integer(first), reader.text(second)) == (150, "abc")
    minus = Reader(b"\x08" + b"\xff" * 9 + b"\x01")
    assert [minus.integer(entry) for entry in minus.fields(0, 11)] == [-1]


@pytest.mark.parametrize(
    "content",
    [
        b"\x08",
        b"\x12\x05abc",
        b"\x0b\x00",
        b"\x00\x00",
        b"\xff" * 20,
        b"\x1d\x00",
        b"\x12\xff\xff\xff\xff\x0f",
    ],
)
def test_framing_that_leaves_its_range(content: bytes) -> None:
    with pytest.raises(Damaged):
        fields(content)


def test_more_fields_than_the_budget() -> None:
    with pytest.raises(Damaged, match="more parts than any model"):
        fields(b"\x08\x00" * 11, steps=10)


def test_numbers_and_texts_that_are_of_another_kind() -> None:
    reader = Reader(b"\x08\x00\x12\x00")
    number, text = reader.fields(0, 4)
    for use in (lambda: reader.text(number), lambda: reader.integer(text)):
        with pytest.raises(Damaged):
            use()


def table(vtable: list[int], fields: bytes, vtable_bytes: int | None = None) -> bytes:
    """A file whose root has the given vtable entries and content."""
    size = 4 + 2 * len(vtable)
    head = struct.pack("<HH", vtable_bytes or size, 4 + len(fields)) + struct.pack(
        f"<{len(vtable)}H", *vtable
    )
    head += bytes(-len(head) % 4)
    return struct.pack("<I", 4 + len(head)) + head + struct.pack("<i", len(head)) + fields


def test_a_table() -> None:
    root = Table.root(table([4, 0, 8], struct.pack("<II", 7, 4) + struct.pack("<I", 2) + b"ab"))
    assert (root.integer(0, "I"), root.integer(1, "I", 5), root.integer(9, "I", 6)) == (7, 5, 6)
    assert root.text(2) == "ab" and root.table(1) is None and list(root.tables(1)) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        struct.pack("<II", 0xFFFF_FFF0, 0),
        struct.pack("<IIi", 8, 0, -100),
        struct.pack("<IIi", 8, 0, 100),
        table([4], b"\0\0\0\0", vtable_bytes=2),
        table([4], b"\0\0\0\0")[:-1],
    ],
)
def test_a_root_that_is_none(content: bytes) -> None:
    with pytest.raises(Damaged):
        Table.root(content)


@pytest.mark.parametrize(
    "content",
    [
        table([60], bytes(4)),
        table([2], bytes(4)),
        table([4], struct.pack("<I", 0xFFFF_FFF0)),
        table([4], struct.pack("<II", 4, 0xFFFF_FFFF)),
    ],
)
def test_a_vector_that_leaves_the_file(content: bytes) -> None:
    with pytest.raises(Damaged):
        Table.root(content).integers(0)


def test_parts_that_refer_to_each_other_run_out_of_budget() -> None:
    """A table whose only field is a vector of 100,000 times the table itself."""
    count = 100_000
    head = table([4], struct.pack("<I", 4) + struct.pack("<I", count))
    root = len(head) - 12
    offsets = (root - (len(head) + 4 * index) for index in range(count))
    content = head + struct.pack(f"<{count}I", *(offset & 0xFFFF_FFFF for offset in offsets))
    with pytest.raises(Damaged):
        for child in Table.root(content).tables(0):
            list(child.tables(0))
    forward = table([4], struct.pack("<I", 4) + struct.pack("<I", 1) + struct.pack("<I", 4) + b"a" * 4000)
    with pytest.raises(Damaged):
        list(Table.root(forward).tables(0))


def test_long_texts_that_are_shared_run_out_of_budget() -> None:
    text = struct.pack("<I", 4000) + b"a" * 4000
    root = Table.root(table([4], struct.pack("<I", 4) + text))
    root.budget = Budget(1000)
    with pytest.raises(Damaged, match="more parts"):
        for _ in range(100):
            root.text(0)
