"""``SnasnetArchitecture``: a network of the ``snasnet`` space, for comparison with the literature.

The macro architecture of Kim et al., "Neural Architecture Search for Spiking Neural Networks" (ECCV 2022,
arXiv 2201.10355), with the parts that its published numbers of parameters and neurons fix:

    pixels -> conv 3x3, norm -> cell (C) -> norm, LIF, conv 3x3 (C -> 2C), norm, average pooling by 2
           -> cell (2C) -> norm, LIF -> average pooling by 2 or 4 -> dropout -> fully connected, LIF -> voters

Values between nodes are real numbers: an edge with a convolution is LIF, convolution, norm; skips and pooling
carry currents, and a node sums them without firing. The stem's map is the input of every time step. A class has
several voters, whose outputs are averaged over voters and time steps. Cells have forward edges alone; the
published program may also draw edges that reach back by a time step, and does so by default.

Such a network is searched, costed, trained and written as ONNX in float32. It is not deployed on
microcontrollers: nothing that passes between its nodes is a spike.

An architecture is one line, in the order in which the data passes:

    snasnet t5 stem128/1 302030 003000 pool2 fc1024 voters5

- ``t5``: time steps; ``stem128/1``: channels C of the first cell and the stem's stride (1 or 2)
- one cell for both positions, or one each (``toolchain.architecture.cells``)
- ``pool2`` or ``pool4``: the second average pooling; ``fc1024``: neurons of the fully connected layer;
  ``voters5``: voters a class

``parse(to_text(a)) == a`` for every architecture; two equal cells are written once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from toolchain.architecture.cells import Cell
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape, conv_output

SPACE = "snasnet"
EXAMPLE = "snasnet t5 stem128/1 302030 003000 pool2 fc1024 voters5"

TAU = 4 / 3
"""Time constant of the neurons: v <- v + (x - v) / tau, so that a step keeps 1 - 1 / tau = 1/4 of v."""

THRESHOLD = 1.0
"""A neuron fires at v >= 1 and is reset to 0."""

KERNEL = 3
"""Side of the convolutions outside cells."""

REDUCTION = 2
"""Side of the average pooling between the cells."""

POOLS = (2, 4)
MAX_TIME_STEPS = 32
MAX_WIDTH = 1 << 16
MAX_VOTERS = 1000
MAX_CHANNELS = 4096
_MAX_CHARACTERS = 200
_NUMBER = "([1-9][0-9]{0,5})"


class Maps(NamedTuple):
    """Extent of the maps of the first cell, of the second cell, and of what the classifier reads."""

    first: Shape
    second: Shape
    pooled: Shape


@dataclass(frozen=True)
class SnasnetArchitecture:
    """All that a search of the ``snasnet`` space decides; raises ``InputError`` for a value out of range.

    ``channels``: C of the first cell, the second has 2C; ``cells``: one for each position; ``pool``: side of the
    second average pooling; ``width``: neurons of the fully connected layer; ``voters``: outputs a class.
    """

    channels: int
    cells: tuple[Cell, Cell]
    time_steps: int = 5
    stem_stride: int = 1
    pool: int = 2
    width: int = 1024
    voters: int = 5

    def __post_init__(self) -> None:
        _whole("time steps", self.time_steps, 1, MAX_TIME_STEPS)
        _whole("the channels of the first cell", self.channels, 1, MAX_CHANNELS)
        _whole("the stem's stride", self.stem_stride, 1, 2)
        _whole("the fully connected layer's width", self.width, 1, MAX_WIDTH)
        _whole("voters a class", self.voters, 1, MAX_VOTERS)
        if self.pool not in POOLS:
            raise InputError(f"snasnet: the second pooling must be 2 or 4, not {self.pool!r:.40}")
        if [type(cell) for cell in self.cells] != [Cell, Cell]:
            raise InputError("snasnet: there are two positions, and each needs a cell")

    @classmethod
    def cifar100(cls, cells: tuple[Cell, Cell]) -> SnasnetArchitecture:
        """The sizes published for CIFAR-100: 128 channels, 500 voters."""
        return cls(channels=128, cells=cells)

    @classmethod
    def cifar10(cls, cells: tuple[Cell, Cell]) -> SnasnetArchitecture:
        """The sizes published for CIFAR-10: 256 channels, second pooling by 4, 100 voters."""
        return cls(channels=256, cells=cells, pool=4, voters=10)

    def maps(self, pixels: Shape) -> Maps:
        """Extents for images of ``pixels``; raises ``InputError`` if these are too small to be pooled."""
        first = Shape(self.channels, *conv_output(pixels, KERNEL, self.stem_stride))
        second = Shape(2 * self.channels, first.height // REDUCTION, first.width // REDUCTION)
        pooled = Shape(2 * self.channels, second.height // self.pool, second.width // self.pool)
        if not pooled.size:
            raise InputError(
                f"`{to_text(self)}` leaves nothing of images of {pixels.height}x{pixels.width} pixels, because it"
                f" divides their sides by {self.stem_stride * REDUCTION * self.pool}; take larger images, stem"
                " stride 1 or pool2"
            )
        return Maps(first, second, pooled)


def to_text(architecture: SnasnetArchitecture) -> str:
    """The architecture's line."""
    cells = [str(cell) for cell in architecture.cells]
    return " ".join(
        [
            SPACE,
            f"t{architecture.time_steps}",
            f"stem{architecture.channels}/{architecture.stem_stride}",
            *dict.fromkeys(cells),
            f"pool{architecture.pool}",
            f"fc{architecture.width}",
            f"voters{architecture.voters}",
        ]
    )


def parse(line: str) -> SnasnetArchitecture:
    """Read a line; raises ``InputError`` naming the word that does not belong where it stands."""
    words = line.split() if len(line) <= _MAX_CHARACTERS else []
    if len(words) not in (7, 8) or words[0] != SPACE:
        raise InputError(f"architecture {line[:60]!r} is not a line such as: {EXAMPLE}")
    _, time_steps, stem, *cells, pool, width, voters = words
    channels, stride = _numbers(f"stem{_NUMBER}/([12])", stem, "the stem, such as stem128/1")
    first, second = Cell.parse(cells[0]), Cell.parse(cells[-1])
    return SnasnetArchitecture(
        channels=channels,
        cells=(first, second),
        time_steps=_numbers(f"t{_NUMBER}", time_steps, "the time steps, such as t5")[0],
        stem_stride=stride,
        pool=_numbers("pool([24])", pool, "the second pooling, pool2 or pool4")[0],
        width=_numbers(f"fc{_NUMBER}", width, "the fully connected layer, such as fc1024")[0],
        voters=_numbers(f"voters{_NUMBER}", voters, "the voters a class, such as voters5")[0],
    )


def refuse(what: str) -> InputError:
    """The error of a step that has no meaning for this space; ``what`` is a noun, such as ``a C export``."""
    return InputError(
        f"{what} is not to be had for networks of the snasnet space, because their nodes pass real numbers and not"
        " spikes; they are for comparison, so use the spikenas space for what is deployed"
    )


def _numbers(pattern: str, word: str, wanted: str) -> tuple[int, ...]:
    found = re.fullmatch(pattern, word, re.ASCII)
    if not found:
        raise InputError(
            f"architecture: {word[:40]!r} stands where {wanted} belongs; a whole line is: {EXAMPLE}"
        )
    return tuple(map(int, found.groups()))


def _whole(what: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise InputError(f"snasnet: {what} must be a whole number from {low} to {high}, not {value!r:.40}")
