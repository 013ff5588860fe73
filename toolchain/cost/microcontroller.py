"""How long a microcontroller takes for an image (estimate), from what its kernels execute."""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.packing import blocks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, SpikeConv
from toolchain.profiles.schema import Core


class Instructions(NamedTuple):
    """Instructions of the firmware's kernels, for 16 channels at once.

    ``connection``: an input neuron, in one time step, at one position of a kernel; a quarter of the neurons is
    taken to fire. ``update``: the membrane potentials at one position, in one time step.
    """

    connection: float
    update: float


_WITH_THUMB2 = Instructions(8.8, 1060)
_PLAIN = Instructions(15, 1500)

INSTRUCTIONS: dict[Core, Instructions] = {
    "cortex-m0plus": _PLAIN,
    "cortex-m3": _WITH_THUMB2,
    "cortex-m4": _WITH_THUMB2,
    "cortex-m7": _WITH_THUMB2,
    "cortex-m33": _WITH_THUMB2,
    "cortex-m55": _WITH_THUMB2,
    "xtensa-lx7": _PLAIN,
}
"""Estimate, fitted to what firmware of twelve trained networks executed under emulation on a Cortex-M4 and M0+.

The fit misses those counts by up to 16 % below and 25 % above (4 to 64 channels, 2 to 8 time steps, all
operations; spike densities of 0.13 to 0.28); a sixth was added, so that it is none of them short. Cortex-M7
executes what the M4 does; M3, M33, M55 and Xtensa were not counted.
"""


def microcontroller_ms(graph: Graph, core: Core, clock_hz: float) -> float:
    """Milliseconds for an image on ``core``, at one instruction a cycle (estimate)."""
    connections = updates = 0
    for node in graph.all(Lif):
        places = node.shape.height * node.shape.width * blocks(node.shape.channels) * graph.time_steps
        updates += places
        for edge in node.edges:
            if isinstance(edge, SpikeConv):
                connections += places * edge.kernel**2 * graph.source_shape(edge.source).channels
    cost = INSTRUCTIONS[core]
    return (cost.connection * connections + cost.update * updates) / clock_hz * 1e3
