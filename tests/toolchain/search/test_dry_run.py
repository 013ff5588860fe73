from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.data import bars
from toolchain import profiles
from toolchain.errors import OverBudgetError
from toolchain.profiles.budget import budget
from toolchain.search.cell_space import searched_cells
from toolchain.search.dry_run import dry_run
from toolchain.search.search import search
from toolchain.search.settings import SearchSettings
from toolchain.search.sizes import REFERENCE


def test_it_tells_the_sizes_that_a_search_takes_and_what_binds() -> None:
    cells = searched_cells(REFERENCE)
    profile = profiles.load("stm32f405")
    limits = budget(profile, flash_bytes=60 * 1024, latency_ms=1e6)
    plan = dry_run(bars(), profile, limits)
    extent = SearchSettings(candidates=0, batch=4, weight_seeds=1)
    result = search(bars(), profile, limits, extent, progress=lambda _: None)
    assert plan.sizing == result.sizing
    assert plan.tried[-1] == plan.sizing.verdict and not any(verdict.fits for verdict in plan.tried[:-1])
    assert plan.binding == plan.tried[-2].dropped_by == ["flash"]
    for outlook, position in zip(plan.positions, result.positions, strict=True):
        assert outlook.space == position.space == len(cells) and 0 < outlook.fit < len(cells)
        assert outlook.dropped == {"flash": len(cells) - outlook.fit}
        assert outlook.smallest.fits and outlook.largest.fits
    (largest,) = (c for c in result.positions[0].references if "largest" in c.roles)
    assert plan.positions[0].largest.architecture.cells[0] == largest.cell


def test_it_raises_as_the_search_would() -> None:
    profile = profiles.load("stm32f405")
    with pytest.raises(OverBudgetError, match="flash by"):
        dry_run(bars(), profile, budget(profile, flash_bytes=1024))


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from toolchain.search.run import plan_run; from toolchain.runs import RunSettings\n"
        "from toolchain.profiles import load; import toolchain.cli.search, toolchain.cli.search_tables\n"
        "plan = plan_run(load('jetson_nano'), RunSettings(), progress=lambda text: None)\n"
        "assert plan.positions and 'torch' not in sys.modules, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
