"""Instructions from prices; that firmware executes what they say is held by tests/benchmarks/test_instructions.py."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest

from tests.toolchain.search.boards import board
from toolchain.architecture.text import parse
from toolchain.cost.code_size import Compiler
from toolchain.cost.cycles import pace
from toolchain.cost.footprint import footprint
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.microcontroller import (
    EVENTS,
    PRICED,
    WORK,
    graph_instructions,
    image_instructions,
    prices,
)
from toolchain.cost.work import Events, Work
from toolchain.errors import InputError
from toolchain.profiles.schema import Core

LINE = "t2 leak2 reset-subtract stem20/1 002000 head-count"


@pytest.mark.parametrize("compiler", get_args(Compiler))
@pytest.mark.parametrize("core", get_args(Core))
def test_every_core_has_a_price_for_all_that_is_priced(core: Core, compiler: Compiler) -> None:
    found = prices(core, compiler)
    assert set(found) == set(PRICED) and min(found.values()) >= 0
    # A row of 16 weights takes at least an instruction for two of them.
    assert min(found["rows_8"], found["rows_4"], found["rows_2"]) > 8


def test_a_core_that_was_never_measured_is_refused() -> None:
    with pytest.raises(InputError, match="cortex-m85 .* benchmarks.instructions"):
        prices("cortex-m85")


@pytest.mark.parametrize("name", [name for name in WORK if name != "spike_updates"])
def test_work_adds_its_price(name: str) -> None:
    price, none = prices("cortex-m0plus"), Events()
    alone = price[name] + ("_updates" in name and name in UPDATES) * price["spike_updates"]
    alone -= (name == "pixel_updates") * price["spike_updates"]
    assert image_instructions(Work(**{name: 7}), "cortex-m0plus", none) == pytest.approx(7 * alone)


UPDATES = ("first_updates", "kept_updates", "subtracted_updates", "shifted_updates")


@pytest.mark.parametrize("name", EVENTS)
def test_events_add_theirs(name: str) -> None:
    found = image_instructions(Work(), "cortex-m4", replace(Events(), **{name: 1.5}))
    assert found == pytest.approx(1.5 * prices("cortex-m4")[name])


def test_what_does_not_fire_takes_less_and_more_time_takes_more() -> None:
    where = board("stm32f405")
    graph = where.graph(parse(LINE))
    longer = where.graph(parse(LINE.replace("t2", "t4")))
    silent = graph_instructions(graph, "cortex-m4", Events())
    assert 0 < silent < graph_instructions(graph, "cortex-m4") < graph_instructions(longer, "cortex-m4")


def test_latency_is_the_slow_end_of_the_range() -> None:
    where = board("stm32f405")
    graph = where.graph(parse(LINE))
    instructions = graph_instructions(graph, "cortex-m4")
    expected = instructions * pace(where.profile).most / where.profile.clock_hz * 1e3
    assert footprint(graph, where.profile).latency_ms == pytest.approx(expected)


def test_every_work_of_a_demand_is_its_own_field() -> None:
    demand = graph_demand(board("stm32f405").graph(parse(LINE)), frozenset())
    assert {field.name for field in fields(Work)} <= {field.name for field in fields(demand)}
