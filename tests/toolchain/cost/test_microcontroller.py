from __future__ import annotations

from typing import get_args

import pytest

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.cost.footprint import footprint
from toolchain.cost.microcontroller import INSTRUCTIONS, microcontroller_ms
from toolchain.graph.events import EventFrames
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Core


def test_every_core_has_an_estimate() -> None:
    assert set(INSTRUCTIONS) == set(get_args(Core))


@pytest.mark.parametrize("bits", [4, 2])
def test_packed_weights_take_less_time(bits: int) -> None:
    where = board("stm32f405")
    line = "t2 leak2 reset-subtract stem20/1 002000 head-count"
    plain, packed = (
        microcontroller_ms(where.graph(parse(text)), "cortex-m4", 168e6)
        for text in (line, line.replace("stem", f"w{bits} stem"))
    )
    saved = (8.8 - 7.8) * 8 * 8 * 2 * 2 * 20
    assert plain - packed == pytest.approx(saved / 168e6 * 1e3)


def test_a_hand_computed_network() -> None:
    where = board("stm32f405")  # pixels of 8x8
    graph = where.graph(parse("t2 leak2 reset-subtract stem20/1 002000 head-count"))
    places = 8 * 8 * 2 * 2  # positions, blocks of 16 channels, time steps; in the stem and in the cell
    instructions = 1060 * 2 * places + 8.8 * places * 20
    expected = pytest.approx(instructions / 168e6 * 1e3)
    assert (
        microcontroller_ms(graph, "cortex-m4", 168e6)
        == footprint(graph, where.profile).latency_ms
        == expected
    )


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("t2 leak2 reset-subtract stem64/2 003000 stride64 003000 head-flatten", 4_010_128),
        ("t4 leak2 reset-subtract stem16/1 003000 stride16 003000 stride16 003000 head-flatten", 4_364_340),
        ("t4 leak2 reset-subtract stem4/2 003000 stride4 003000 head-count", 684_845),
        ("t2 leak2 reset-subtract stem8/1 001000 stride8 444444 head-count", 1_398_787),
        ("t4 leak2 reset-subtract stem16/2 333333 stride32 002000 head-flatten", 3_500_990),
    ],
)
def test_not_short_of_what_firmware_was_counted_to_execute(line: str, counted: int) -> None:
    """Instructions for an image of the digits, 16x16, under unicorn, compiled with zig for the Cortex-M4."""
    where = board("stm32f405", bars(side=16))
    estimate = microcontroller_ms(where.graph(parse(line)), "cortex-m4", 168e6)
    assert 1.0 <= estimate / (counted / 168e6 * 1e3) <= 1.4


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("t4 leak2 reset-subtract stem16/1 head-count", 2_523_678),
        ("t8 leak2 reset-subtract stem32/2 head-count", 2_524_729),
    ],
)
def test_nor_where_each_time_step_has_a_frame(line: str, counted: int) -> None:
    """The same for frames of events, 16x16."""
    architecture = parse(line)
    events = EventFrames(architecture.time_steps, 1000, 1, 16, 16)
    preprocessing = Preprocessing(16, 16, "polarity", events=events)
    graph = build(architecture, Shape(2, 16, 16), preprocessing, ("a", "b", "c"))
    assert 1.0 <= microcontroller_ms(graph, "cortex-m4", 168e6) / (counted / 168e6 * 1e3) <= 1.4
