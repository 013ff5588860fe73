"""``Architecture``: all that a search decides about a network of the ``spikenas`` space.

A network is a path: a stem that turns pixels into spikes, then blocks, then a head. A cell keeps the number
of channels and the extent of its input; a shrink halves the extent and sets the number of channels. Every
node sums its incoming currents and fires through one layer of LIF neurons, so every map is spikes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from toolchain.architecture.cells import Cell
from toolchain.errors import InputError
from toolchain.graph.codes import WIDTHS
from toolchain.graph.graph import MAX_TIME_STEPS
from toolchain.graph.nodes import Leak
from toolchain.graph.rules.structure import MAX_CHANNELS

SPACE = "spikenas"

STEM_KERNEL = SHRINK_KERNEL = 3
"""Side of the convolutions outside cells."""

MAX_BLOCKS = 64
"""Most blocks of a network; the published ones have three."""

ShrinkForm = Literal["stride", "pool"]
Reset = Literal["subtract", "zero"]
HeadFeatures = Literal["count", "flatten"]


@dataclass(frozen=True)
class Shrink:
    """Halves the sides of a map and gives it ``channels``.

    ``stride``: a 3x3 convolution with stride 2; ``pool``: OR pooling over 2x2, then a 3x3 convolution.
    """

    form: ShrinkForm
    channels: int

    def __post_init__(self) -> None:
        _one_of("a shrink's form", self.form, get_args(ShrinkForm))
        _whole("a shrink's channels", self.channels, 1, MAX_CHANNELS)


Block = Cell | Shrink


@dataclass(frozen=True)
class Architecture:
    """A network's structure; raises ``InputError`` for a value that no Graph can have.

    ``stem_stride`` is 1 or 2; ``blocks`` are in the order in which spikes pass them; ``head`` says what the
    classifier reads: spikes counted per channel, or flattened per neuron. ``bits``, 8, 4 or 2, are those in which a
    weight is stored; what reads pixels or counts has few weights and keeps 8.
    """

    time_steps: int
    leak: Leak
    reset: Reset
    stem_channels: int
    stem_stride: int
    blocks: tuple[Block, ...]
    head: HeadFeatures
    bits: int = 8

    def __post_init__(self) -> None:
        _whole("time steps", self.time_steps, 1, MAX_TIME_STEPS)
        _one_of("the leak's form", self.leak.form, ("none", "subtract", "shift"))
        if self.leak.form == "none":
            object.__setattr__(self, "leak", Leak("none"))  # its shift means nothing; one form, one text
        _whole("the leak's shift", self.leak.shift, 1, 15)
        _one_of("the reset", self.reset, get_args(Reset))
        _whole("the stem's channels", self.stem_channels, 1, MAX_CHANNELS)
        _whole("the stem's stride", self.stem_stride, 1, 2)
        _one_of("the head", self.head, get_args(HeadFeatures))
        if type(self.bits) is not int or self.bits not in WIDTHS:
            raise InputError(f"architecture: weights have 8, 4 or 2 bits, not {self.bits!r:.40}")
        if len(self.blocks) > MAX_BLOCKS:
            raise InputError(f"an architecture has at most {MAX_BLOCKS} blocks, not {len(self.blocks)}")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells, by position."""
        return tuple(block for block in self.blocks if isinstance(block, Cell))

    def with_cells(self, cells: tuple[Cell, ...]) -> Architecture:
        """The same sizes with other cells; raises ``ValueError`` unless there is one for each position."""
        if len(cells) != len(self.cells):
            raise ValueError(f"{len(cells)} cells for {len(self.cells)} positions")
        rest = iter(cells)
        return replace(
            self, blocks=tuple(next(rest) if isinstance(block, Cell) else block for block in self.blocks)
        )

    def before_cell(self, position: int) -> Architecture:
        """The network cut off just before the cell at ``position``; its last map is that cell's input."""
        indices = [index for index, block in enumerate(self.blocks) if isinstance(block, Cell)]
        return replace(self, blocks=self.blocks[: indices[position]])

    def channels_at(self, position: int) -> int:
        """Channels of the maps of the cell at ``position``."""
        shrinks = [b for b in self.before_cell(position).blocks if isinstance(b, Shrink)]
        return shrinks[-1].channels if shrinks else self.stem_channels

    def followed_by(self, block: Block) -> Architecture:
        """The same network with one more block before its head."""
        return replace(self, blocks=(*self.blocks, block))


def _whole(what: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise InputError(
            f"architecture: {what} must be a whole number from {low} to {high}, not {value!r:.40}"
        )


def _one_of(what: str, value: object, permitted: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in permitted:
        raise InputError(f"architecture: {what} must be one of {', '.join(permitted)}, not {value!r:.40}")
