"""How often the firmware's kernels do what they do for an image: what their instructions are a sum over.

``Work`` follows from the network alone and is linear, so parts of networks add up. ``Events`` follow from the spikes:
counted where there are some (``verification.spike_events``), else assumed (``assumed``). ``cost.microcontroller`` has
the instructions for one of each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from toolchain.cost.amounts import Amount, Estimate, Map, ceiling, indicator
from toolchain.cost.neurons import Dynamics, FanIn, Neurons, inside
from toolchain.cost.packing import BLOCK, blocks, even

STEPS = 2
"""Time steps that a layer of spikes works on at once: its pairs."""

SPIKES = 0.18
"""Assumed share of neurons that fire in a time step: 0.15 to 0.18 in five of six trained networks, 0.36 in one."""

ROWS = 0.14
"""Assumed rows of weights that are added for a connection and time step, 0.11 to 0.27 in the same networks; fewer than
spikes, because a neuron that fires in both steps of a pair has one row for the two."""

LOOKED, LISTED = 0.58, 1.2
"""Assumed for each 16 neurons that a list is made of, in a pair: words of 32 that are not zero, and events listed."""

WALKS = 2.4
"""Assumed lists, of the three of a pair, that hold an event."""

NEIGHBOURS = 0.8
"""Assumed share of words of 16 spikes that are not zero."""


@dataclass(frozen=True)
class Work:
    """What the shape of a network makes its kernels do, for an image.

    A block is 16 channels, a pair two time steps. Updates of a block's potentials in one time step:
    ``first_updates`` in the first, the others by how the potential decays, ``kept_updates``, ``subtracted_updates``,
    ``shifted_updates``; of all of them ``pixel_updates`` are in the layer of pixels. There, for each position and
    frame: ``pixel_windows``, ``pixel_taps`` gathered, ``pixel_blocks``, and ``tap_pairs`` multiplied with a block.

    In layers of spikes: ``pair_positions`` (positions times pairs), ``windows`` of convolutions there, ``runs`` of
    words that lie one behind the other within a window, and ``spike_words`` of 16 neurons in them; ``block_pairs``;
    ``coded_updates`` of layers with packed weights; ``neighbour_updates`` of layers with skips or pools,
    ``neighbour_edges`` (each edge once a block and step) and ``neighbour_words`` of 16 spikes that these look at.
    ``connections_8``, ``_4`` and ``_2``: rows of so many bits if every neuron fired; ``word_blocks_8`` and
    ``word_blocks_packed``: ``spike_words``, once for each block that walks them.

    ``pooled_words`` of OR poolings; ``head_words`` of 16 spikes, ``head_features``, ``head_products`` and
    ``packed_products``; ``node_calls``.
    """

    first_updates: Amount = 0
    kept_updates: Amount = 0
    subtracted_updates: Amount = 0
    shifted_updates: Amount = 0
    pixel_updates: Amount = 0
    pixel_windows: Amount = 0
    pixel_taps: Amount = 0
    pixel_blocks: Amount = 0
    tap_pairs: Amount = 0
    pair_positions: Amount = 0
    windows: Amount = 0
    runs: Amount = 0
    spike_words: Amount = 0
    block_pairs: Amount = 0
    coded_updates: Amount = 0
    neighbour_updates: Amount = 0
    neighbour_edges: Amount = 0
    neighbour_words: Amount = 0
    connections_8: Amount = 0
    connections_4: Amount = 0
    connections_2: Amount = 0
    word_blocks_8: Amount = 0
    word_blocks_packed: Amount = 0
    pooled_words: Amount = 0
    head_words: Amount = 0
    head_features: Amount = 0
    head_products: Amount = 0
    packed_products: Amount = 0
    node_calls: Amount = 0

    @property
    def spike_updates(self) -> Amount:
        """Updates in layers of spikes."""
        all_updates = self.first_updates + self.kept_updates + self.subtracted_updates + self.shifted_updates
        return all_updates - self.pixel_updates


@dataclass(frozen=True)
class Events:
    """What spikes make the kernels do, for an image or on average.

    ``looked``: words of 32 neurons in which one fired in a pair; ``listed``: events on the lists of a pair; ``walks``
    of a block along a list that is not empty; ``walked_8`` and ``walked_packed``: events met there; ``rows_8``,
    ``rows_4``, ``rows_2``: rows of weights added; ``neighbours``: words of 16 spikes, not zero, of skips and pools;
    ``counted``: spikes that the head counts.
    """

    looked: Estimate = 0.0
    listed: Estimate = 0.0
    walks: Estimate = 0.0
    walked_8: Estimate = 0.0
    walked_packed: Estimate = 0.0
    rows_8: Estimate = 0.0
    rows_4: Estimate = 0.0
    rows_2: Estimate = 0.0
    neighbours: Estimate = 0.0
    counted: Estimate = 0.0

    def __add__(self, other: Events) -> Events:
        return Events(*(getattr(self, name) + getattr(other, name) for name in EVENTS))

    def __truediv__(self, images: int) -> Events:
        return Events(*(getattr(self, name) / images for name in EVENTS))


EVENTS = tuple(field.name for field in fields(Events))


def assumed(work: Work) -> Events:
    """Events of a network that has not been trained."""
    return Events(
        looked=LOOKED * work.spike_words,
        listed=LISTED * work.spike_words,
        walks=WALKS * work.block_pairs,
        walked_8=LISTED * work.word_blocks_8,
        walked_packed=LISTED * work.word_blocks_packed,
        rows_8=ROWS * work.connections_8,
        rows_4=ROWS * work.connections_4,
        rows_2=ROWS * work.connections_2,
        neighbours=NEIGHBOURS * work.neighbour_words,
        counted=SPIKES * BLOCK * work.head_words,
    )


def pixel_work(node: Neurons, fan_in: FanIn) -> Work:
    """That of a layer of pixels."""
    places = node.shape.height * node.shape.width
    windows, wide = places * fan_in.frames, blocks(node.shape.channels)
    return Work(
        **_updates(node.dynamics, places * wide),
        pixel_updates=places * wide * node.dynamics.time_steps,
        pixel_windows=windows,
        pixel_taps=windows * fan_in.taps,
        pixel_blocks=windows * wide,
        tap_pairs=windows * wide * (even(fan_in.taps) // 2),
        node_calls=1,
    )


def spike_work(node: Neurons, fan_in: FanIn) -> Work:
    """That of a layer of spikes."""
    steps, places, wide = (
        node.dynamics.time_steps,
        node.shape.height * node.shape.width,
        blocks(node.shape.channels),
    )
    pairs, updates = ceiling(steps, STEPS), places * wide * steps
    words = pairs * sum(each.number * each.inside * blocks(each.channels) for each in fan_in.convolutions)
    connections = (
        steps * wide * sum(each.number * each.inside * each.channels for each in fan_in.convolutions)
    )
    weighted = {bits: indicator(fan_in.bits == bits) for bits in (8, 4, 2)}
    beside = fan_in.pools * inside(node.shape, node.shape, 3, 1)[1] + fan_in.skips * places
    return Work(
        **_updates(node.dynamics, places * wide),
        pair_positions=places * pairs,
        windows=places * pairs * fan_in.convolved,
        runs=pairs
        * sum(each.number * _runs(each.channels, each.rows, each.inside) for each in fan_in.convolutions),
        spike_words=words,
        block_pairs=places * pairs * wide,
        coded_updates=updates * (1 - weighted[8]),
        neighbour_updates=updates * fan_in.currents,
        neighbour_edges=updates * (fan_in.edges - fan_in.convolved),
        neighbour_words=beside * steps * wide,
        connections_8=connections * weighted[8],
        connections_4=connections * weighted[4],
        connections_2=connections * weighted[2],
        word_blocks_8=words * wide * weighted[8],
        word_blocks_packed=words * wide * (1 - weighted[8]),
        node_calls=1,
    )


def or_pool_work(shape: Map, time_steps: Amount) -> Work:
    """That of an OR pooling whose result has this ``shape``."""
    return Work(pooled_words=shape.height * shape.width * time_steps * blocks(shape.channels), node_calls=1)


def head_work(source: Map, time_steps: Amount, features: Amount, classes: int, bits: Amount) -> Work:
    """That of a head which reads ``source``."""
    packed = indicator(bits < 8)
    return Work(
        head_words=source.height * source.width * time_steps * blocks(source.channels),
        head_features=features,
        head_products=classes * features * (1 - packed),
        packed_products=classes * features * packed,
        node_calls=1,
    )


def _updates(dynamics: Dynamics, once: Amount) -> dict[str, Amount]:
    later = once * (dynamics.time_steps - 1)
    return {
        "first_updates": once,
        "kept_updates": later * (1 - dynamics.leaks),
        "subtracted_updates": later * dynamics.subtracts,
        "shifted_updates": later * (dynamics.leaks - dynamics.subtracts),
    }


def _runs(channels: Amount, rows: Amount, positions: Amount) -> Amount:
    # Whole blocks of a row of the window lie one behind the other; a broken one ends a run.
    whole = indicator(channels % BLOCK == 0)
    return rows * whole + positions * (1 - whole)
