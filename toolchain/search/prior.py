"""What accuracy a network's sizes promise before anything is trained: only to put candidates in an order.

A linear fit of the logit of the integer network's accuracy to 62 short trainings on Fashion-MNIST (10,000 images,
2 to 4 float epochs, one seed, sizes drawn evenly from those that fit an STM32F405 or a Jetson Nano). Left out one
by one, their order is met with a Kendall tau of 0.63. What it says: channels count, and so does a head that reads
many neurons; counting spikes costs much; time steps beyond two give next to nothing for their price.

A pool is stratified and trained (``toolchain.search.pool``), so that the fit need not be right for other data.
"""

from __future__ import annotations

from math import log2

from toolchain.graph.nodes import Shape
from toolchain.search.space import Sizes

STEM_CHANNELS = 0.114
TIME_STEPS = 0.020
HEAD_NEURONS = 0.049
SHRINKS = 0.064
CELLS = -0.033
POOLING = -0.017
STORED = {8: 0.0, 4: -0.02, 2: -0.4}
"""Change of the logit: per doubling of the first three, per shrink, cell and shrink by pooling for the next ones; and
by the bits of a weight, which were not among those trainings: a guess after one network on the digits, where 4 bits
lost nothing and 2 lost two per cent."""


def expected(sizes: Sizes, pixels: Shape) -> float:
    """The logit of the accuracy that networks of these ``sizes`` may reach, but for a constant."""
    shrinks = sizes.lead + sizes.cells - 1
    pooling = shrinks if sizes.shrink == "pool" else 0
    return (
        STEM_CHANNELS * log2(sizes.stem_channels)
        + TIME_STEPS * log2(sizes.time_steps)
        + HEAD_NEURONS * log2(_head_neurons(sizes, pixels))
        + SHRINKS * shrinks
        + CELLS * sizes.cells
        + POOLING * pooling
        + STORED[sizes.bits]
    )


def _head_neurons(sizes: Sizes, pixels: Shape) -> int:
    """Neurons that the head reads one by one; 1 if it counts their spikes."""
    if sizes.head == "count":
        return 1
    shrinks = sizes.lead + sizes.cells - 1
    side = sizes.first_side(pixels) / 2 ** (sizes.cells - 1)
    channels = sizes.stem_channels * sizes.growth**shrinks
    return max(1, round(side * side * channels))
