from __future__ import annotations

import numpy as np

from exporters import float_constants
from toolchain.graph.nodes import Lif, PixelConv, Pool, Shape, Skip, SpikeConv


def test_powers_of_two_and_halves_are_exact() -> None:
    edge = PixelConv("pixels", 1, 1, rounding=np.array([0, 1, 16], np.uint8))
    assert float_constants.rounding_half(edge).tolist() == [0, 1, 32768]
    assert float_constants.rounding_scale(edge).tolist() == [1, 0.5, 2.0**-16]
    node = Lif("n", Shape(3, 1, 1), (Skip("s"),), exponent=np.array([3, 7, 12], np.uint8))
    assert float_constants.one(node).tolist() == [8, 128, 4096]
    assert float_constants.pool_step(node).tolist() == [1, 16, 512]


def test_the_bias_goes_to_a_convolution_of_spikes_and_never_to_one_of_pixels() -> None:
    conv, pool = SpikeConv("s", 1, 1), Pool("s")
    shape = Shape(1, 1, 1)
    assert float_constants.bias_edge(Lif("n", shape, (Skip("s"), pool, conv))) is pool
    assert float_constants.bias_edge(Lif("n", shape, (Skip("s"), conv, pool))) is conv
    assert float_constants.bias_edge(Lif("n", shape, (Skip("s"),))) is None
    assert float_constants.bias_edge(Lif("n", shape, (PixelConv("p", 1, 1),))) is None
