from __future__ import annotations

import numpy as np
import pytest

from tests.support.graphs import random_graph, random_images
from toolchain.cost.operations import operations, parameter_count
from toolchain.graph import reference
from toolchain.verification.activity import MEASURED_IMAGES, SpikeCounter


@pytest.mark.parametrize("count", [3, MEASURED_IMAGES + 30])
def test_rates_and_operations_are_those_of_the_first_images(count: int) -> None:
    graph = random_graph(1)
    images = random_images(graph, count)
    counter = SpikeCounter()
    for trace in reference.traces(graph, images):  # of 64 images each, so the last is only counted in part
        counter.add(trace.spikes)
    first = list(reference.traces(graph, images[:MEASURED_IMAGES]))
    rates = {
        name: float(np.concatenate([trace.spikes[name] for trace in first], axis=1).mean())
        for name in first[0].spikes
    }
    found = counter.activity(graph)
    assert found.images == min(count, MEASURED_IMAGES)
    assert found.spike_rates == pytest.approx(rates) and 0 < max(rates.values()) <= 1
    wanted = operations(graph, found.spike_rates)
    assert (
        found.pixel_macs,
        found.head_macs,
        found.dense_acs,
        found.effective_acs,
        found.membrane_updates,
    ) == (
        wanted.pixel_macs,
        wanted.head_macs,
        wanted.dense_acs,
        wanted.effective_acs,
        wanted.membrane_updates,
    )
    assert found.parameters == parameter_count(graph)
