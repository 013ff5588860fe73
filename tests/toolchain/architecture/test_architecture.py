from __future__ import annotations

import pytest

from toolchain.architecture.architecture import MAX_BLOCKS, Architecture, Shrink
from toolchain.architecture.cells import Cell
from toolchain.architecture.text import EXAMPLE, parse, to_text
from toolchain.errors import InputError
from toolchain.graph.nodes import Leak

GOOD = {
    "time_steps": 4,
    "leak": Leak("subtract", 2),
    "reset": "subtract",
    "stem_channels": 16,
    "stem_stride": 2,
    "blocks": (Cell.parse("003000"), Shrink("stride", 32), Cell.parse("301203")),
    "head": "count",
}


def test_the_documented_example() -> None:
    assert Architecture(**GOOD) == parse(EXAMPLE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("time_steps", 0, "time steps must be a whole number from 1 to 8, not 0"),
        ("time_steps", 9, "from 1 to 8, not 9"),
        ("time_steps", True, "not True"),
        ("time_steps", 4.0, "not 4.0"),
        ("leak", Leak("subtract", 16), "leak's shift must be a whole number from 1 to 15, not 16"),
        ("leak", Leak("exponential"), "leak's form must be one of none, subtract, shift"),  # type: ignore[arg-type]
        ("reset", "hard", "reset must be one of subtract, zero, not 'hard'"),
        ("stem_channels", 0, "stem's channels must be a whole number from 1 to 4096"),
        ("stem_stride", 3, "stem's stride must be a whole number from 1 to 2"),
        ("bits", 3, "weights have 8, 4 or 2 bits, not 3"),
        ("bits", 8.0, "not 8.0"),
        ("head", None, "head must be one of count, flatten, not None"),
        ("blocks", (Shrink("pool", 4),) * (MAX_BLOCKS + 1), "at most 64 blocks, not 65"),
    ],
)
def test_values_that_no_graph_can_have(field: str, value: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Architecture(**{**GOOD, field: value})  # type: ignore[arg-type]


def test_shrinks_are_checked_too() -> None:
    with pytest.raises(InputError, match="shrink's form must be one of stride, pool, not 'max'"):
        Shrink("max", 16)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shrink's channels"):
        Shrink("pool", 5000)


def test_without_a_leak_the_shift_means_nothing() -> None:
    one, other = (Architecture(**{**GOOD, "leak": Leak("none", k)}) for k in (1, 7))  # type: ignore[arg-type]
    assert one == other


def test_bits_stay_with_the_network() -> None:
    packed = Architecture(**GOOD, bits=4)  # type: ignore[arg-type]
    for other in (
        packed.with_cells(packed.cells),
        packed.before_cell(1),
        packed.followed_by(Shrink("pool", 4)),
    ):
        assert other.bits == 4


def test_cells_by_position() -> None:
    architecture = parse(EXAMPLE)
    assert [str(cell) for cell in architecture.cells] == ["003000", "301203"]
    changed = architecture.with_cells((Cell.parse("001000"), Cell.parse("002000")))
    assert to_text(changed) == EXAMPLE.replace("003000", "001000").replace("301203", "002000")
    with pytest.raises(ValueError, match="1 cells for 2 positions"):
        architecture.with_cells(architecture.cells[:1])


def test_the_network_before_a_cell() -> None:
    architecture = parse(EXAMPLE)
    assert architecture.before_cell(0).blocks == ()
    assert architecture.before_cell(1).blocks == architecture.blocks[:2]
    assert architecture.before_cell(1).followed_by(architecture.cells[1]) == architecture


def test_channels_of_a_cell() -> None:
    architecture = parse(EXAMPLE)
    assert [architecture.channels_at(position) for position in (0, 1)] == [16, 32]
