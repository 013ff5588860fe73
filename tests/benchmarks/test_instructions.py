"""The prices of instructions against firmware that runs, on networks that they were not fitted to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.instruction_networks import random_network
from benchmarks.instructions import CHECKED, FITTED, MODELS, Counted, errors, fit, main
from exporters.c import compilers
from toolchain.cost.microcontroller import PRICED
from toolchain.graph import reference
from toolchain.profiles.schema import Core

pytest.importorskip("unicorn")


@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        ("cortex-m0plus", "zig"),
        ("cortex-m3", "gcc"),
        ("cortex-m4", "zig"),
        ("cortex-m4", "gcc"),
    ],
)
def test_the_estimate_is_what_firmware_executes(core: Core, compiler: compilers.Compiler) -> None:
    if compiler not in compilers.available():
        pytest.skip(f"{compiler} is not installed")
    off = np.abs(errors(core, compiler, CHECKED[2:4], MODELS[core]))
    assert np.max(off) < 0.1 and np.median(off) < 0.05


def test_networks_to_check_are_none_of_those_fitted() -> None:
    assert not set(FITTED) & set(CHECKED)


def test_the_networks_fire_seldom_and_often() -> None:
    rates = []
    for seed in FITTED[:4]:
        graph, images = random_network(seed, 1)
        rates += [float(planes.mean()) for planes in next(reference.traces(graph, images)).spikes.values()]
    assert min(rates) < 0.1 and max(rates) > 0.6


def test_a_fit_finds_the_prices_that_counts_were_made_with() -> None:
    random = np.random.default_rng(0)
    amounts = random.integers(0, 1000, (200, len(PRICED))).astype(float)
    true = random.uniform(1, 50, len(PRICED))
    true[3] = 0
    found = fit([Counted(amounts[:90], (amounts @ true)[:90]), Counted(amounts[90:], (amounts @ true)[90:])])
    assert list(found) == list(PRICED)
    assert np.allclose(list(found.values()), true, atol=0.01)


def test_the_quick_look_prints_one_core(capsys: pytest.CaptureFixture[str]) -> None:
    if not compilers.available():
        pytest.skip("no compiler is installed")
    assert main(["--quick", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["core"] == "cortex-m4" and found["images"] == 4 and found["median_error"] < 0.05
