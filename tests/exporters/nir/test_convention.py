from __future__ import annotations

import numpy as np
import pytest

from exporters.nir.convention import DT, OR_THRESHOLD, THRESHOLD, steps
from toolchain.graph.nodes import Leak


@pytest.mark.parametrize("form", ["subtract", "shift"])
@pytest.mark.parametrize("shift", range(1, 16))
def test_euler_steps_keep_what_the_leak_keeps(form: str, shift: int) -> None:
    leak = Leak(form, shift)  # type: ignore[arg-type]
    tau = DT * steps(leak)
    assert 1 - DT / tau == pytest.approx(leak.kept, abs=1e-15)


def test_neurons_without_a_leak_keep_all_that_float32_can_say() -> None:
    kept = np.float32(1 - 1 / steps(Leak("none")))
    assert kept < 1 and np.nextafter(kept, np.float32(2)) == 1


def test_above_the_threshold_is_where_integers_reach_theirs() -> None:
    thresholds = np.arange(1, 1 << 15)
    for below in (1, 0, -1):
        potentials = thresholds - below
        written = (potentials / thresholds).astype(np.float32)
        np.testing.assert_array_equal(written > np.float32(THRESHOLD), potentials >= thresholds)


def test_a_sum_of_spikes_is_above_the_or_threshold_if_there_is_one() -> None:
    assert [count > OR_THRESHOLD for count in range(5)] == [False, True, True, True, True]
