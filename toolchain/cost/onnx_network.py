"""Bytes of what every ONNX file of a network has, whichever runtime it is for (``exporters.onnx.lowering``).

A file's size is a sum over operators and constants (``toolchain.cost.onnx_parts``) that depends on nothing but
shapes and the lengths of names; lengths are what most parameters are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from toolchain.cost.amounts import Amount, choose, indicator, larger
from toolchain.cost.facts import neurons_characters
from toolchain.cost.neurons import FanIn, Neurons
from toolchain.cost.onnx_parts import CONVOLUTION, POOLING, attribute, extent, operator, tensor, varint

STEP = len(".t0")
"""What the name of a value ends in that each time step has anew."""

FLOAT_BYTES, INT64_BYTES = 4, 8

SPIKES = len(".spikes") + STEP
ADDED = len("spike_counts.next") + STEP


class Edges(NamedTuple):
    """``parts``: bytes of edges; ``name``: the length of an edge's name, ``current`` that of what they add up to."""

    parts: Amount
    name: Amount
    current: Amount


def spike_edges(node: Neurons, fan_in: FanIn, weight: int) -> Edges:
    """The edges into a node of spikes, less their weights, whose names end in ``weight`` characters."""
    name, channels = node.name, node.shape.channels
    convolved, pools, skips = fan_in.convolved, fan_in.pools, fan_in.skips
    edge = name + len(".0") + (fan_in.edges > 10) + (fan_in.edges > 100)
    part, total = edge + len(".sums") + STEP, edge + len(".total") + STEP
    bias, one, window = (name + len(text) for text in (".bias", ".one", ".window"))
    wide = extent(channels)
    # The first convolution or pool adds the bias too; where there is none, an operator of its own does.
    carried = indicator(convolved + pools > 0)
    several = indicator(fan_in.edges > 1)
    current = part + larger(several, 1 - carried)
    pooling = attribute("kernel_shape", 2) + attribute("pads", 4) + attribute("group") + wide - 2
    more = fan_in.longest + 2 + bias
    step: Amount = (
        fan_in.names
        + convolved * operator("Conv", (SPIKES, edge + weight), part, CONVOLUTION, more)
        + pools * operator("Conv", (SPIKES, window), part, pooling, more)
        + skips * operator("Mul", (SPIKES, one), part, 0, fan_in.longest)
        + several * operator("Add", (part, part), total)
        + larger(fan_in.edges - 2, 0) * operator("Add", (total, part), total)
        + carried * (2 + bias)
        + (1 - carried) * operator("Add", (part + several, bias), current)
    )
    parts: Amount = (
        carried * tensor(bias, wide, FLOAT_BYTES * channels)
        + (1 - carried) * by_channel(bias, channels)
        + (skips > 0) * by_channel(one, channels)
        + (pools > 0) * tensor(window, wide + 3 * 2, 9 * FLOAT_BYTES * channels)
        + node.dynamics.time_steps * step
    )
    return Edges(parts, edge, current)


def running(node: Neurons, current: Amount, spikes: Amount, fire: Callable[[Amount], Amount]) -> Amount:
    """Leak, charge, spikes and reset in all time steps, and what the facts say of the node.

    ``current`` and ``spikes`` are what it adds and what the reset reads; ``fire`` gives the bytes of what makes
    spikes of a potential.
    """
    name, dynamics = node.name, node.dynamics
    steps, later = dynamics.time_steps, indicator(dynamics.time_steps > 1)
    threshold, leak, drop = name + len(".threshold"), name + len(".leak"), name + len(".drop") + STEP
    kept, floor, leaked = (name + len(text) + STEP for text in (".shifted", ".floor", ".leaked"))
    charged, after = name + len(".charged") + STEP, name + len(".potential.next") + STEP
    decayed = choose(dynamics.leaks > 0, choose(dynamics.subtracts > 0, leaked, floor), after)
    leaking = operator("Mul", (after, leak), kept) + operator("Floor", (kept,), floor)
    charge = (
        dynamics.leaks * leaking
        + dynamics.subtracts * operator("Sub", (after, floor), leaked)
        + operator("Add", (decayed, current), charged)
    )

    def reset(potential: Amount) -> Amount:
        by = choose(dynamics.zeroes > 0, potential, threshold)
        return operator("Mul", (spikes, by), drop) + operator("Sub", (potential, drop), after)

    return (
        # A potential begins as the current; after the last step nobody reads it.
        fire(current)
        + later
        * (
            dynamics.leaks * tensor(leak, 0, FLOAT_BYTES)
            + reset(current)
            + (steps - 1) * (charge + fire(charged))
            + (steps - 2) * reset(charged)
        )
        + neurons_characters(node)
    )


def or_pool_node(name: Amount, source: Amount, time_steps: Amount) -> Amount:
    """A node that pools spikes by two."""
    return time_steps * operator("MaxPool", (source + SPIKES,), name + SPIKES, POOLING)


class Counted(NamedTuple):
    """``parts``: bytes of what counts spikes; ``name``: the length of the counts' name."""

    parts: Amount
    name: Amount


def counting(name: int, source: Amount, time_steps: Amount, counts: Amount) -> Counted:
    """Spikes counted over time, and over space too if ``counts`` is 1."""
    axes, counted = name + len(".axes"), name + len(".features") + STEP
    step = counts * operator("ReduceSum", (source + SPIKES, axes), counted, attribute("keepdims"))
    step = step + (1 - counts) * operator("Flatten", (source + SPIKES,), counted, attribute("axis"))
    add = operator("Add", (ADDED, counted), ADDED)
    later = indicator(time_steps > 1)
    # The first step has nothing to add to, and the second adds to what the first one counted.
    parts: Amount = time_steps * step + (time_steps - 1) * add + later * (counted - ADDED)
    parts = parts + counts * tensor(axes, 2, 2 * INT64_BYTES)
    return Counted(parts, choose(later > 0, ADDED, counted))


def frames_apart(name: int, source: int, frames: int) -> Amount:
    """What takes the frames of an input, called so, from ``source``."""
    if frames == 1:
        return 0
    index = name + len(".index") + STEP
    take = operator("Gather", (source, index), name + len(".frame") + STEP, attribute("axis"))
    return frames * (tensor(index, 0, INT64_BYTES) + take) + 3 + varint(frames)


def message_bytes(parts: Amount) -> Amount:
    """Parts with their lengths: one message has the network, and two what is said of its nodes."""
    return 3 * varint(parts) + parts


def by_channel(name: Amount, channels: Amount) -> Amount:
    """A number for each channel, that applies to maps."""
    return tensor(name, extent(channels) + 3 * 2, FLOAT_BYTES * channels)
