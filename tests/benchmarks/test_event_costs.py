"""The choice of kernels, on layers that the costs were not fitted to, against what both kernels execute."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.event_costs import Layer, regret, samples
from toolchain.cost.kernel_choice import event_costs
from toolchain.profiles.schema import Core

WORST = 0.02
"""Share by which the chosen kernel may execute more than the better one."""


@pytest.mark.parametrize(
    ("core", "layer", "bits"),
    [
        ("cortex-m4", Layer(32, 16, 0.03, 0.1), 8),
        ("cortex-m4", Layer(48, 48, 0.4, 0.8, time_steps=4, clustered=True), 4),
        ("cortex-m0plus", Layer(16, 48, 0.2, 0.5, kernel=1), 8),
        ("cortex-m3", Layer(40, 16, 0.06, 0.3), 2),
    ],
)
def test_the_kernel_that_is_chosen_is_about_the_better_one(
    core: Core, layer: Layer, bits: int, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    require_package("ziglang")
    costs, found = event_costs(core, bits), list(samples(core, layer, bits))
    for sample in found:
        assert regret(costs, sample) <= WORST
        estimated = [
            costs.instructions(lists, sample.output_blocks)
            for lists in (sample.events.apart, sample.events.shared)
        ]
        # Of two runs of a network, only the lists differ.
        assert estimated[0] - estimated[1] == pytest.approx(
            sample.apart.total - sample.shared.total, abs=WORST * sample.apart.total
        )
