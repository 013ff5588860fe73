"""How long a microcontroller takes for an image (estimate), from what its kernels execute."""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.amounts import Estimate
from toolchain.cost.demand import Demand
from toolchain.cost.graph_demand import graph_demand
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Core


class Instructions(NamedTuple):
    """Instructions of the firmware's kernels, for 16 channels at once.

    ``connection``: an input neuron, in one time step, at one position of a kernel; a quarter of the neurons is
    taken to fire. ``packed_connection``: the same where weights have 4 or 2 bits. ``update``: the membrane potentials
    at one position, in one time step; at the pixels, with the products of one frame. ``product``: a pixel, at one
    position of a kernel, of a further frame.
    """

    connection: float
    packed_connection: float
    update: float
    product: float


_WITH_THUMB2 = Instructions(8.8, 7.8, 1060, 140)
_PLAIN = Instructions(15, 13.8, 1500, 190)

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
operations; spike densities of 0.13 to 0.28); a sixth was added, so that it is none of them short. Cortex-M7 and M33
execute what the M4 does (within 4 %, four networks, both compilers); M3, M55 and Xtensa were not counted. Products of
frames are fitted to two more networks, 117 and 152 each, to which a sixth was added too.
"""


def microcontroller_ms(graph: Graph, core: Core, clock_hz: float) -> float:
    """Milliseconds for an image on ``core``, at one instruction a cycle (estimate)."""
    return float(image_ms(graph_demand(graph), core, clock_hz))


def image_ms(demand: Demand, core: Core, clock_hz: float, cycles_per_instruction: float = 1.0) -> Estimate:
    """The same of a network's ``demand``, or of many at once; a calibrated board has other cycles an instruction."""
    return image_instructions(demand, core) * cycles_per_instruction / clock_hz * 1e3


def image_instructions(demand: Demand, core: Core) -> Estimate:
    """Instructions for an image (estimate)."""
    cost = INSTRUCTIONS[core]
    return (
        cost.connection * demand.connections
        + cost.packed_connection * demand.packed_connections
        + cost.update * demand.updates
        + cost.product * demand.products
    )
