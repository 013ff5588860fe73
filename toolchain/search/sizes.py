"""The ladder of sizes: which channels, extents and time steps are tried, and in which order.

Rungs stand in order of preference: more channels first, then more time steps, then finer maps, then a head that
reads every neuron. The order rests on short trainings with the reference cell (Fashion-MNIST, 10,000 images,
4 epochs, one seed, float, 14x14 then 7x7 maps, T = 4 unless noted; a run scatters by about 0.45 points):

    channels, head                          accuracy   training cost
    32, 32 flatten                          87.95 %    70 CPU s
    32, 64 flatten                          87.90 %    97 CPU s    (so channels are not doubled where maps shrink)
    16, 32 flatten                          86.60 %    38 CPU s    (T = 2: 86.47 %, 19 CPU s)
    16, 32, 64 count                        86.35 %    56 CPU s    (flatten: 86.00 %)
    32, 64 count                            85.80 %    97 CPU s    (T = 2: 85.52 %, 47 CPU s)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from toolchain.architecture.architecture import Architecture, Block, HeadFeatures, Shrink
from toolchain.architecture.cells import Cell
from toolchain.graph.nodes import Leak, Shape

REFERENCE = Cell.parse("003000")
"""One direct 3x3 convolution: in short trainings no more elaborate cell was better (six compared)."""

SMALLEST = Cell.parse("001000")
"""A skip alone: no cell takes fewer bytes."""

CHANNELS = (128, 64, 32, 16, 8, 4)
TIME_STEPS = (4, 2)
HEADS: tuple[HeadFeatures, ...] = ("flatten", "count")

FINE_SIDE = 32
"""Longest side of the first cell's maps on fine rungs; coarse rungs have half of it."""

LAST_SIDE = 8
"""Cells are added, with a shrink before each, until the maps are at most this wide."""

MIN_CELLS, MAX_CELLS = 2, 3


def ladder(pixels: Shape) -> Iterator[Architecture]:
    """Yield the sizes for an input of this shape, most preferred first, each with reference cells.

    The last one is the smallest: one cell, two time steps, four channels.
    """
    side = max(pixels.height, pixels.width)
    fine = _halvings(side, FINE_SIDE)
    for channels, steps, halvings, head in product(CHANNELS, TIME_STEPS, (fine, fine + 1), HEADS):
        yield _sized(channels, steps, halvings, head, _cells(_side(side, halvings)))
    yield _sized(CHANNELS[-1], TIME_STEPS[-1], fine + 1, "count", 1)


def with_cell(sizes: Architecture, cell: Cell) -> Architecture:
    """``sizes`` with ``cell`` at every position."""
    return sizes.with_cells((cell,) * len(sizes.cells))


def _sized(channels: int, steps: int, halvings: int, head: HeadFeatures, cells: int) -> Architecture:
    # The stem halves at most once; what remains before the first cell is done by shrinks.
    blocks: list[Block] = [Shrink("stride", channels)] * (halvings - 1)
    blocks += [REFERENCE] + [Shrink("stride", channels), REFERENCE] * (cells - 1)
    return Architecture(
        time_steps=steps,
        leak=Leak("subtract", 2),
        reset="subtract",
        stem_channels=channels,
        stem_stride=2 if halvings else 1,
        blocks=tuple(blocks),
        head=head,
    )


def _cells(side: int) -> int:
    return min(MAX_CELLS, max(MIN_CELLS, 1 + _halvings(side, LAST_SIDE)))


def _halvings(side: int, limit: int) -> int:
    """How often ``side`` is halved, rounding up, until it is at most ``limit``."""
    count = 0
    while side > limit:
        side, count = -(-side // 2), count + 1
    return count


def _side(side: int, halvings: int) -> int:
    return -(-side // 2**halvings)
