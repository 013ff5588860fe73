from __future__ import annotations

import subprocess
import sys

import pytest

from tests.toolchain.search.boards import board
from toolchain.errors import OverBudgetError
from toolchain.search.dry_run import dry_run
from toolchain.search.feasible import feasible_sizes, permitted_cells
from toolchain.search.operation_sets import operations_for


def test_it_tells_the_sizes_that_a_search_begins_with_and_what_binds() -> None:
    where = board(flash_bytes=60 * 1024, latency_ms=1e6)
    plan = dry_run(where)
    assert plan.verdict.architecture == feasible_sizes(where).best and plan.verdict.fits
    assert plan.next_larger is not None and plan.binding == plan.next_larger.dropped_by == ["flash"]
    for outlook in plan.positions:
        assert (
            outlook.space == len(permitted_cells(operations_for(where))) and 0 < outlook.fit < outlook.space
        )
        assert outlook.dropped == {"flash": outlook.space - outlook.fit}


def test_nothing_binds_the_widest_network() -> None:
    plan = dry_run(board("jetson_orin_nano"))
    assert plan.next_larger is None or plan.binding


def test_it_raises_as_the_search_would() -> None:
    with pytest.raises(OverBudgetError, match="flash by"):
        dry_run(board(flash_bytes=1024))


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from toolchain.search.run import plan_run; from toolchain.settings import RunSettings\n"
        "from toolchain.profiles import load; import toolchain.cli.search, toolchain.cli.search_tables\n"
        "plan = plan_run(load('jetson_nano'), RunSettings(), progress=lambda text: None)\n"
        "assert plan.positions and not {'torch', 'numba', 'ray'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
