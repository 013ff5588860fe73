"""Bytes that are enough for a network in TensorFlow Lite Micro, of one or of thousands at once.

``cost.tflm`` predicts them closely, but it plans each network's arena, which takes a search too long. These bounds come
from sums that a demand has anyway.
"""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.amounts import Amount, rounded
from toolchain.cost.demand import Demand

MARGIN = 1.03
"""Above the fit, for networks that are unlike those that it was made of."""


class Bounds(NamedTuple):
    """Bytes of ``model_micro.tflite``, and of the arena on a 64-bit machine."""

    file_bytes: Amount
    arena_bytes: Amount


def bounds(demand: Demand) -> Bounds:
    """Bounds for a network of this ``demand``.

    Linear programs fitted them to ``cost.tflm.predicted`` of 900 networks (sizes of the search's grid with random
    cells, images of 16x16 to 48x48 pixels, 2 to 100 classes, files of 17 kB to 1.6 MB), such that none was larger. The
    file's is above by a twelfth in the middle and by three quarters at most, the arena's by three tenths and 1.2.
    Weights take a byte whatever their bits; nodes and pooling edges take operators in every time step.
    """
    nodes, pools = demand.lif_nodes * demand.time_steps, demand.pools * demand.time_steps
    file = 1.105 * demand.weights + 1286.1 * nodes + 235.2 * pools + 28.2 * demand.scores_bytes + 10892
    arena = (1.227 + 0.797 * demand.time_steps) * demand.working + 1945.7 * nodes + 316.2 * pools
    return Bounds(rounded(MARGIN * file), rounded(MARGIN * (arena + 0.116 * demand.constants_bytes)))
