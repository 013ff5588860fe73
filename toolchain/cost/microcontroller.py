"""How many instructions a microcontroller executes for an image, from a price for each thing that its kernels do.

``python -m benchmarks.instructions`` fits the prices to what firmware was counted to execute under emulation, for each
core and compiler, and writes ``instructions.toml`` beside this file. docs/concepts/latency.md says what comes of them.
"""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolchain.cost.amounts import Estimate
from toolchain.cost.code_size import DEFAULT_COMPILER, Compiler
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.work import EVENTS, Events, Work, assumed
from toolchain.errors import InputError
from toolchain.files import read_toml
from toolchain.graph.graph import Graph

TABLE = Path(__file__).with_name("instructions.toml")

_PRICED_AS_EVENTS = ("connections_8", "connections_4", "connections_2", "word_blocks_8", "word_blocks_packed")
WORK = (*(field.name for field in fields(Work) if field.name not in _PRICED_AS_EVENTS), "spike_updates")
"""What has a price of ``Work``; of ``Events`` all has."""

PRICED = (*WORK, *EVENTS)


def graph_instructions(
    graph: Graph, core: str, events: Events | None = None, compiler: Compiler = DEFAULT_COMPILER
) -> float:
    """Instructions for an image on ``core`` (estimate); weights are not needed, and without ``events`` no spikes."""
    return float(image_instructions(graph_demand(graph, frozenset()), core, events, compiler))


def image_instructions(
    work: Work, core: str, events: Events | None = None, compiler: Compiler = DEFAULT_COMPILER
) -> Estimate:
    """The same of a network's ``work``, or of many at once."""
    price = prices(core, compiler)
    found = assumed(work) if events is None else events
    shape: Estimate = sum(price[name] * getattr(work, name) for name in WORK)
    spikes: Estimate = sum(price[name] * getattr(found, name) for name in EVENTS)
    return shape + spikes


def image_ms(work: Work, core: str, clock_hz: float, cycles_per_instruction: float) -> Estimate:
    """Milliseconds of a network's ``work``, or of many at once, at so many cycles an instruction."""
    return image_instructions(work, core) * cycles_per_instruction / clock_hz * 1e3


def prices(core: str, compiler: Compiler = DEFAULT_COMPILER) -> dict[str, float]:
    """Instructions of each of ``PRICED``; a core that no compiler here builds for has an estimate for all of them."""
    table = _table()
    found = table[compiler].get(core) or table["estimate"].get(core)
    if found is None:
        raise InputError(
            f"what {core} executes is not known; measure it with `python -m benchmarks.instructions`"
        )
    return dict(found)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return read_toml(TABLE)
