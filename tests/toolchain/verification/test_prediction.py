"""Lines of the cost model: which limits have one, in what unit, and what is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.architectures import LINES, untrained
from toolchain.cost.footprint import footprint
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification.prediction import UNMEASURED, predicted_lines

GRAPH = untrained(LINES[0])


@pytest.mark.parametrize("name", ["stm32f405", "raspberry_pi_4b"])
def test_energy_and_operations_have_lines_where_they_are_limited(name: str) -> None:
    board = load(name)
    used = footprint(GRAPH, board)
    assert used.energy_mj is not None and used.latency_ms is not None
    assert not UNMEASURED & {line.resource for line in predicted_lines(GRAPH, board, budget(board))}

    limits = budget(board, energy_mj=used.energy_mj, operations=used.operations)
    lines = {line.resource: line for line in predicted_lines(GRAPH, board, limits)}
    assert UNMEASURED <= lines.keys()
    assert {lines[name].evidence for name in UNMEASURED} == {"estimated"}
    energy, operations = lines["energy"], lines["operations"]
    assert (energy.used, energy.unit, energy.over) == (round(used.energy_mj * 1000), "uj", "")
    assert (operations.used, operations.unit, operations.over) == (used.operations, "operations", "")
    # What an image takes is the active power for as long as it takes.
    assert board.power is not None
    assert energy.used == pytest.approx(board.power.active_mw * used.latency_ms, abs=1)

    tighter = replace(limits, energy_mj=used.energy_mj / 2, operations=used.operations - 1)
    found = predicted_lines(GRAPH, board, tighter)
    over = [line.over or line.warning for line in found if line.over or line.warning]
    assert len(over) == 2
    assert "over budget by" in over[0] and "microjoules: energy needs" in over[0]
    # A microcontroller that was never timed is only warned of.
    assert [bool(line.warning) for line in found if line.resource == "energy"] == [board.core is not None]
    assert over[1] == (
        "prediction is over budget by 1 synaptic operations: operations needs"
        f" {used.operations:,} and has {used.operations - 1:,}"
    )


def test_every_limit_that_the_search_holds_has_a_line() -> None:
    linux, micro = load("raspberry_pi_4b"), load("stm32f405")
    limits = budget(linux, energy_mj=100.0, operations=10**9)
    assert [line.resource for line in predicted_lines(GRAPH, linux, limits)] == [
        "artifact",
        "resident memory",
        "latency",
        "energy",
        "operations",
    ]
    limits = budget(micro, latency_ms=50.0, energy_mj=100.0, operations=10**9)
    assert [line.resource for line in predicted_lines(GRAPH, micro, limits)] == [
        "flash",
        "sram",
        "ccm",
        "sram in all",
        "latency",
        "energy",
        "operations",
    ]
