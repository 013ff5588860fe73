"""Which kernel runs a layer: one that shares rows of weights between two time steps, or one that does not.

Sharing adds the rows of neurons that fire in two time steps running once instead of twice. It costs a third list: words
to be written down and walked, and one more call for every block of 16 output channels. What each takes on a core was
measured by ``python -m benchmarks.event_costs``, which writes ``event_costs.toml`` beside this file; how many there
are follows from spikes (``event_lists``). Both kernels give the same integers, and the scratch memory is that of the
larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from toolchain.cost.event_lists import LayerEvents, Lists, convolutions
from toolchain.cost.packing import blocks
from toolchain.files import read_toml
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.profiles.schema import Core

TABLE = Path(__file__).with_name("event_costs.toml")

STAND_INS: dict[Core | None, Core] = {
    "cortex-m55": "cortex-m33",
    "xtensa-lx7": "cortex-m3",
    None: "cortex-m3",
}
"""Cores that are measured in the place of others, which unicorn does not have: those that are nearest to them."""


class EventCosts(NamedTuple):
    """Instructions of the kernels: for each ``row``, ``event`` and ``list`` that a block of output channels works off,
    and for each event that is ``listed``, once for all blocks."""

    row: float
    event: float
    list: float
    listed: float

    def instructions(self, lists: Lists, output_blocks: int) -> float:
        """What listing and adding the rows of ``lists`` takes in a layer of ``output_blocks``."""
        each = self.row * lists.rows + self.event * lists.events + self.list * lists.lists
        return each * output_blocks + self.listed * lists.events


@dataclass(frozen=True)
class Choice:
    """The kernel of one layer, and why; instructions of listing and adding rows, an image (estimate, None without
    a sample of images)."""

    share: bool
    reason: str
    shared_instructions: int | None = None
    apart_instructions: int | None = None


def choices(graph: Graph, core: Core | None, events: Mapping[str, LayerEvents] | None) -> dict[str, Choice]:
    """The choice for every node of ``graph`` that sees spikes, by its name.

    ``events``: what a sample of images makes of the layers' lists; None if there are no images.
    """
    found = {}
    for node in graph.all(Lif):
        if not convolutions(node):
            continue
        if graph.time_steps == 1:
            found[node.name] = Choice(False, "there is one time step, and so nothing to share")
        elif events is None:
            found[node.name] = Choice(
                True, "no images to count spikes on: sharing pays in most trained layers"
            )
        else:
            found[node.name] = choice(node, event_costs(core, node.bits), events[node.name])
    return found


def choice(node: Lif, costs: EventCosts, events: LayerEvents) -> Choice:
    """The kernel that is estimated to execute less for ``node``; apart, if neither does."""
    output_blocks = blocks(node.shape.channels)
    shared, apart = (
        round(costs.instructions(lists, output_blocks) / events.images)
        for lists in (events.shared, events.apart)
    )
    both = f"{events.both_rate:.1%} of the neurons fire in both of two time steps"
    if shared < apart:
        reason = f"{both}: adding their rows once saves {_share(apart - shared, apart)} of the instructions"
        return Choice(True, reason, shared, apart)
    if shared == apart:
        return Choice(False, f"{both}: a list of them would save nothing", shared, apart)
    reason = (
        f"{both}: a list of them would take {_share(shared - apart, apart)} more instructions than without"
    )
    return Choice(False, reason, shared, apart)


@cache
def event_costs(core: Core | None, bits: int) -> EventCosts:
    """What was measured for ``core`` and weights of ``bits`` bits; of its ``STAND_INS``."""
    return EventCosts(**read_toml(TABLE)[STAND_INS.get(core) or str(core)][f"weights_{bits}"])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}"
