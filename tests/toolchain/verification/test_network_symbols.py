from __future__ import annotations

import random
from pathlib import Path

import pytest

from toolchain.errors import InputError
from toolchain.verification.elf import Image, Symbol
from toolchain.verification.network_symbols import NetworkBytes, merged, prefixes_of


def image(*names: str) -> Image:
    objects = tuple(Symbol(name, 16 * index, 16) for index, name in enumerate(names))
    return Image(Path("made.elf"), (), (), {}, objects)


def test_every_exported_network_is_found() -> None:
    found = image(
        "net_infer", "net_arena", "eyes_infer", "eyes_arena", "snn_pixel", "x_infer", "y_arena", "main"
    )
    assert prefixes_of(found) == ("eyes_", "net_", "snn_")
    assert prefixes_of(image("main", "net_buf_alloc", "snn_pixel")) == ()


def test_what_the_user_says_is_taken_instead() -> None:
    found = image("net_infer", "net_arena", "tiny_run")
    assert prefixes_of(found, ["tiny_"]) == ("tiny_", "snn_")


@pytest.mark.parametrize("prefix", ["tinny_", "zzz", ""])
def test_a_prefix_that_begins_no_symbol_is_refused(prefix: str) -> None:
    with pytest.raises(InputError, match="no function or variable whose name begins with"):
        prefixes_of(image("tiny_run", "main"), [prefix])


def test_bytes_within_a_range_are_those_that_are_marked() -> None:
    rng = random.Random(0)
    for _ in range(50):
        spans = [(rng.randrange(200), rng.randrange(1, 30)) for _ in range(rng.randrange(6))]
        objects = tuple(Symbol("net_x", start, size) for start, size in spans)
        network = NetworkBytes(Image(Path("made.elf"), (), (), {}, objects), ("net_",))
        marked = {address for start, size in spans for address in range(start, start + size)}
        for _ in range(20):
            first = rng.randrange(240)
            end = first + rng.randrange(60)
            assert network.within(first, end) == len(marked & set(range(first, end)))


def test_ranges_that_touch_or_overlap_are_one() -> None:
    assert merged([(4, 8), (0, 4), (10, 12), (5, 6)]) == [(0, 8), (10, 12)]
