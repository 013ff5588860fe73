"""The sizes of the ``spikenas`` space: everything about a network that is not a cell's operations.

    stem channels   4 to 256              time steps   2, 3, 4, 6, 8; for frames of events their number
    stem stride     1 or 2                shrink       strided convolution, or OR pooling and convolution
    lead            shrinks before the first cell      growth   channels times 1 or 2 at every shrink
    cells           1 to 4                head         spikes flattened, or counted per channel

Bits of a weight are a size where a search may choose among several (``Board.widths``): a network of 4 bits may be
wider than one of 8 that takes as much. The leak costs nothing, so it is no size; ``toolchain.search.pool`` varies it.
Which sizes a board can hold is the cost model's to say (``toolchain.search.screening``), at no forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from toolchain.architecture.architecture import Architecture, Block, HeadFeatures, Shrink, ShrinkForm
from toolchain.architecture.cells import Cell
from toolchain.graph.nodes import Leak, Shape

REFERENCE = Cell.parse("003000")
"""One direct 3x3 convolution: in short trainings no more elaborate cell was clearly better."""

SMALLEST = Cell.parse("001000")
"""A skip alone: no cell takes fewer bytes."""

LARGEST = Cell.parse("333333")
"""Six 3x3 convolutions: no cell takes more."""


def direct_cells() -> tuple[Cell, ...]:
    """The cells of one edge, from input to output: the best first, in trainings and by what they compute."""
    return tuple(Cell.parse(f"00{operation}000") for operation in (3, 2, 1, 4))


CHANNELS = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
STEM_STRIDES = (1, 2)
LEADS = (0, 1, 2)
CELLS = (1, 2, 3, 4)
GROWTHS = (1, 2)
SHRINKS: tuple[ShrinkForm, ...] = ("stride", "pool")
TIME_STEPS = (2, 3, 4, 6, 8)
HEADS: tuple[HeadFeatures, ...] = ("flatten", "count")
LEAKS = (Leak("subtract", 2), Leak("subtract", 1), Leak("subtract", 3), Leak("none"))
"""The first is the default."""

MAX_CHANNELS = 512
"""Where growth stops."""

MIN_SIDE, MAX_SIDE = 4, 64
"""Sides of a cell's maps: below, a 3x3 kernel mostly sees padding; above, a map is not worth its time."""


@dataclass(frozen=True, order=True)
class Sizes:
    """One point of the grid; ``architecture`` gives it cells."""

    time_steps: int
    stem_channels: int
    stem_stride: int
    lead: int
    cells: int
    growth: int
    shrink: ShrinkForm
    head: HeadFeatures
    bits: int = 8

    def architecture(self, *cells: Cell, leak: Leak = LEAKS[0]) -> Architecture:
        """The network with ``cells`` at its positions, or with one cell at all of them."""
        chosen = cells * self.cells if len(cells) == 1 else cells
        channels, blocks = self.stem_channels, list[Block]()
        for position, cell in enumerate(chosen):
            for _ in range(self.lead if position == 0 else 1):
                channels = min(channels * self.growth, max(MAX_CHANNELS, channels))
                blocks.append(Shrink(self.shrink, channels))
            blocks.append(cell)
        return Architecture(
            self.time_steps,
            leak,
            "subtract",
            self.stem_channels,
            self.stem_stride,
            tuple(blocks),
            self.head,
            self.bits,
        )

    def first_side(self, pixels: Shape) -> int:
        """Longest side of the first cell's maps."""
        side = _halved(max(pixels.height, pixels.width), self.stem_stride - 1)
        # OR pooling drops an odd edge, a strided convolution keeps it.
        return side // 2**self.lead if self.shrink == "pool" else _halved(side, self.lead)


@lru_cache(maxsize=8)
def sizes(pixels: Shape, frames: int = 1) -> tuple[Sizes, ...]:
    """Every point of the grid whose maps have sensible sides for ``pixels``, small images included, sorted.

    With several ``frames`` there is one for each time step, so no other number of time steps is possible.
    """
    steps = TIME_STEPS if frames == 1 else (frames,)
    # Narrow strips leave no choice but maps that are thinner than one would like.
    return tuple(sorted(_sizes(pixels, steps, MIN_SIDE)) or sorted(_sizes(pixels, steps, 1)))


def _sizes(pixels: Shape, time_steps: tuple[int, ...], min_side: int) -> Iterator[Sizes]:
    side = min(pixels.height, pixels.width)
    for stride, lead, cells in product(STEM_STRIDES, LEADS, CELLS):
        halvings = (stride == 2) + lead
        last = _halved(side, halvings + cells - 1)
        first = _halved(max(pixels.height, pixels.width), halvings)
        # Images smaller than the smallest map still get the networks that shrink nothing.
        if (last < min_side and halvings + cells > 1) or (first > MAX_SIDE and lead < max(LEADS)):
            continue
        shrinking = lead + cells > 1
        for steps, channels, growth, shrink, head in product(time_steps, CHANNELS, GROWTHS, SHRINKS, HEADS):
            # Growth and the form of shrinks mean nothing where nothing shrinks.
            if shrinking or (growth, shrink) == (GROWTHS[0], SHRINKS[0]):
                yield Sizes(steps, channels, stride, lead, cells, growth, shrink, head)


def _halved(side: int, times: int) -> int:
    return -(-side // 2**times)
