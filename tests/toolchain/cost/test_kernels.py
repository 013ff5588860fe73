from __future__ import annotations

import numpy as np
import pytest

from toolchain.cost.kernels import event_words, permitted, scratch_bytes
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Pool, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing

MAP = Shape(17, 6, 6)
GRAPH = Graph(
    (
        Input("pixels", Shape(1, 6, 6)),
        Lif("stem", MAP, (PixelConv("pixels", 3, 1),)),
        Lif("node", MAP, (SpikeConv("stem", 3, 1), SpikeConv("stem", 1, 1), Skip("stem"), Pool("stem"))),
        Lif("passing", MAP, (Skip("node"), Pool("node"))),
        Head("head", "passing", 2),
    ),
    5,
    Preprocessing(6, 6, "grey"),
    ("a", "b"),
)


def scratch(name: str) -> int:
    node = GRAPH.node(name)
    assert isinstance(node, Lif)
    assert scratch_bytes(GRAPH, node) == max(rule(GRAPH, node) for rule in permitted(node).values())
    return scratch_bytes(GRAPH, node)


def test_a_window_of_pixels_and_the_potentials_of_a_position() -> None:
    # Nine taps, filled up to ten, of two bytes; 17 channels take two blocks of 16 potentials of two bytes.
    assert scratch("stem") == 10 * 2 + 2 * 16 * 2


def test_lists_have_an_event_for_all_that_may_fire_in_a_window_of_two_time_steps() -> None:
    # 17 channels are a word of two blocks at each of nine positions and one; an event ends a list; skips and pools are
    # not listed. Three lists: of neurons that fire in both steps, or in one of them.
    assert scratch("node") == 2 * 16 * 2 + 3 * (9 + 1 + 1) * 8


@pytest.mark.parametrize(
    ("kernel", "channels", "words"),
    [
        # Whole blocks: three rows of three blocks, two words each; of six blocks, three; of nine, five.
        (3, 16, 3 * 2),
        (3, 32, 3 * 3),
        (3, 48, 3 * 5),
        (1, 16, 1),
        (1, 64, 2),
        # Broken blocks begin a word at each position.
        (3, 8, 9),
        (3, 33, 9 * 2),
        (1, 40, 2),
    ],
)
def test_words_of_a_window(kernel: int, channels: int, words: int) -> None:
    assert event_words(kernel, channels) == words
    assert event_words(kernel, np.array([channels])).tolist() == [words]  # type: ignore[union-attr]


def test_a_node_without_convolutions_lists_nothing() -> None:
    assert scratch("passing") == 2 * 16 * 2
