"""What each node of a network demands, in numbers that add up or of which the largest counts.

A footprint is a function of these sums alone, so networks that share parts can be judged by adding the parts.
The formulas stand here once: ``graph_demand`` evaluates them node by node, ``cost.blocks`` for many networks
at once. The largest numbers, of 64 cells of 4096 channels on maps of 4096x4096, stay below 2**63.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import reduce

from toolchain.cost import onnx_file, onnx_network, tensorrt_file, tflite_file
from toolchain.cost.amounts import Amount, Map, indicator, larger
from toolchain.cost.kernels import LISTS, dense_pixels_bytes, event_list_bytes, potential_bytes
from toolchain.cost.neurons import FanIn, Neurons
from toolchain.cost.packing import (
    OR_POOL_BYTES,
    aligned,
    head_arrays,
    network_arrays,
    pixel_arrays,
    plane_bytes,
    spike_arrays,
)
from toolchain.cost.work import Work, head_work, or_pool_work, pixel_work, spike_work
from toolchain.graph.codes import WIDTHS


@dataclass(frozen=True)
class Demand(Work):
    """Demands of a part of a network, its firmware's work among them.

    All add up but ``LARGEST``, of which the largest part's counts.

    ``constants_bytes``: arrays in flash; ``onnx_bytes`` and ``tflite_bytes``: of a file for Linux boards,
    ``onnx_int4_bytes`` of one that may have INT4, ``tensorrt_bytes`` and ``tensorrt_int8_bytes`` of those for TensorRT;
    ``lif_nodes``, of which ``frame_nodes`` read a frame of pixels each time step and ``spike_nodes`` spikes, and of
    these ``weighted_8``, ``weighted_4`` and ``weighted_2`` have weights of so many bits; ``packed_heads``: heads of
    fewer than 8; ``pools``: edges that pool; ``padded``: maps that a file pads; ``potentials``: neurons;
    ``operations``: dense synaptic operations; ``input_bytes`` and ``scores_bytes``: what passes through the mailbox.
    ``arena_bytes``: bytes alive while a node runs; ``working``: elements of a node's inputs, current and output.
    """

    constants_bytes: Amount = 0
    onnx_bytes: Amount = 0
    onnx_int4_bytes: Amount = 0
    tensorrt_bytes: Amount = 0
    tensorrt_int8_bytes: Amount = 0
    tflite_bytes: Amount = 0
    lif_nodes: Amount = 0
    spike_nodes: Amount = 0
    frame_nodes: Amount = 0
    weighted_8: Amount = 0
    weighted_4: Amount = 0
    weighted_2: Amount = 0
    packed_heads: Amount = 0
    or_pools: Amount = 0
    pools: Amount = 0
    padded: Amount = 0
    weights: Amount = 0
    potentials: Amount = 0
    operations: Amount = 0
    input_bytes: Amount = 0
    scores_bytes: Amount = 0
    arena_bytes: Amount = 0
    working: Amount = 0
    time_steps: Amount = 0


FIELDS = tuple(field.name for field in fields(Demand))
LARGEST = frozenset({"arena_bytes", "working", "time_steps"})

Files = frozenset[str]
"""Fields of ``Demand`` that are bytes of files, which take most of the time: those not asked for are left 0."""

EVERY_FILE: Files = frozenset(
    {"onnx_bytes", "onnx_int4_bytes", "tensorrt_bytes", "tensorrt_int8_bytes", "tflite_bytes"}
)


def total(parts: Iterable[Demand]) -> Demand:
    """The demand of a network of these parts."""
    return reduce(_plus, parts)


def pixel_node(node: Neurons, fan_in: FanIn, alive_bytes: Amount = 0, files: Files = EVERY_FILE) -> Demand:
    """A node that convolves pixels; ``alive_bytes`` are those of all maps that are alive while it runs."""
    shape, taps = node.shape, fan_in.taps
    return Demand(
        constants_bytes=sum(map(aligned, pixel_arrays(shape.channels, taps).values())),
        **_written(
            files,
            onnx=lambda _: onnx_file.pixel_node(node, fan_in),
            tensorrt=lambda int8: tensorrt_file.pixel_node(node, fan_in, int8),
            tflite=lambda: tflite_file.pixel_node(node, fan_in),
        ),
        lif_nodes=1,
        frame_nodes=int(fan_in.frames > 1),
        padded=fan_in.padded,
        weights=taps * shape.channels,
        potentials=shape.size,
        **vars(pixel_work(node, fan_in)),
        operations=taps * shape.size * fan_in.frames,
        arena_bytes=alive_bytes + aligned(dense_pixels_bytes(taps, shape.channels)),
        working=fan_in.elements + 2 * shape.size,
        time_steps=node.dynamics.time_steps,
    )


def spike_node(node: Neurons, fan_in: FanIn, alive_bytes: Amount = 0, files: Files = EVERY_FILE) -> Demand:
    """A node that sums the currents of spikes; ``alive_bytes`` as for ``pixel_node``."""
    shape, taps, time_steps = node.shape, fan_in.taps, node.dynamics.time_steps
    arrays = spike_arrays(shape.channels, taps, fan_in.currents, fan_in.edges, fan_in.bits)
    weighted = {bits: indicator((taps > 0) & (fan_in.bits == bits)) for bits in WIDTHS}
    return Demand(
        constants_bytes=sum(map(aligned, arrays.values())),
        **_written(
            files,
            onnx=lambda int4: onnx_file.spike_node(node, fan_in, int4),
            tensorrt=lambda int8: tensorrt_file.spike_node(node, fan_in, int8),
            tflite=lambda: tflite_file.spike_node(node, fan_in),
        ),
        lif_nodes=1,
        spike_nodes=1,
        weighted_8=weighted[8],
        weighted_4=weighted[4],
        weighted_2=weighted[2],
        pools=fan_in.pools,
        padded=fan_in.padded,
        weights=taps * shape.channels,
        potentials=shape.size,
        **vars(spike_work(node, fan_in)),
        operations=taps * shape.size * time_steps,
        arena_bytes=alive_bytes + potential_bytes(shape.channels) + LISTS * event_list_bytes(fan_in.words),
        working=fan_in.elements + 2 * shape.size,
        time_steps=node.dynamics.time_steps,
    )


def or_pool_node(
    name: Amount,
    shape: Map,
    source_name: Amount,
    source: Map,
    time_steps: Amount,
    alive_bytes: Amount = 0,
    files: Files = EVERY_FILE,
) -> Demand:
    """A node, with a name of this length, that pools spikes by two."""
    return Demand(
        constants_bytes=aligned(OR_POOL_BYTES),
        **_written(
            files,
            onnx=lambda _: onnx_file.or_pool_node(name, source_name, time_steps),
            tensorrt=lambda _: onnx_network.or_pool_node(name, source_name, time_steps),
            tflite=lambda: tflite_file.or_pool_node(name, time_steps),
        ),
        or_pools=1,
        **vars(or_pool_work(shape, time_steps)),
        arena_bytes=alive_bytes,
        working=source.size + 2 * shape.size,
    )


def head_node(
    name: int,
    source_name: Amount,
    source: Map,
    features: Amount,
    classes: int,
    counts: Amount,
    time_steps: Amount,
    alive_bytes: Amount = 0,
    bits: Amount = 8,
    files: Files = EVERY_FILE,
) -> Demand:
    """The read-out of ``features`` counts of ``source``, over space if ``counts`` is 1; ``alive_bytes`` of its map."""
    read = name, source_name, time_steps, classes, features, counts
    return Demand(
        constants_bytes=sum(map(aligned, head_arrays(classes, features, bits).values())),
        **_written(
            files,
            onnx=lambda int4: onnx_file.head_node(*read, bits, int4),
            tensorrt=lambda _: tensorrt_file.head_node(*read),
            tflite=lambda: tflite_file.head_node(name, time_steps, classes, features, counts),
        ),
        packed_heads=indicator(bits < 8),
        **vars(head_work(source, time_steps, features, classes, bits)),
        weights=classes * features,
        operations=classes * features,
        scores_bytes=4 * classes,
        arena_bytes=alive_bytes + aligned(counts_bytes(features)),
    )


def whole_network(
    name: int, pixels: Map, frames: int, classes: int, characters: int, files: Files = EVERY_FILE
) -> Demand:
    """What a network demands beside its nodes: the description, the known answer and the input.

    ``pixels``: of a frame; ``characters``: those of what files say about classes and images (``cost.facts``).
    """
    input_bytes = pixels.size * frames
    said = name, pixels, frames, classes, characters
    return Demand(
        constants_bytes=sum(map(aligned, network_arrays(input_bytes, classes).values())),
        **_written(
            files,
            onnx=lambda _: onnx_file.whole_network(*said),
            tensorrt=lambda int8: tensorrt_file.whole_network(*said, int8),
            tflite=lambda: tflite_file.whole_network(name, frames, characters),
        ),
        input_bytes=input_bytes,
    )


def map_bytes(shape: Map, time_steps: Amount) -> Amount:
    """Bytes of the arena that a map's spikes take, all time steps together."""
    return aligned(plane_bytes(shape, time_steps))


def counts_bytes(features: Amount) -> Amount:
    """The head's spike counts, uint16."""
    return features * 2


def _written(
    files: Files,
    *,
    onnx: Callable[[bool], Amount],
    tensorrt: Callable[[bool], Amount],
    tflite: Callable[[], Amount],
) -> dict[str, Amount]:
    """Bytes of a part in the ``files`` asked for; ``onnx`` takes whether INT4 may be, ``tensorrt`` whether int8 is."""
    makers: dict[str, Callable[[], Amount]] = {
        "onnx_bytes": lambda: onnx(False),
        "onnx_int4_bytes": lambda: onnx(True),
        "tensorrt_bytes": lambda: tensorrt(False),
        "tensorrt_int8_bytes": lambda: tensorrt(True),
        "tflite_bytes": tflite,
    }
    return {name: make() for name, make in makers.items() if name in files}


def _plus(one: Demand, other: Demand) -> Demand:
    return Demand(
        *(
            larger(getattr(one, name), getattr(other, name))
            if name in LARGEST
            else getattr(one, name) + getattr(other, name)
            for name in FIELDS
        )
    )
