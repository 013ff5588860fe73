"""What the verified network does an image, in NeuroBench's terms, measured where the reference computes its scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.operations import operations, parameter_count
from toolchain.graph.graph import Graph

MEASURED_IMAGES = 100
"""Images whose spikes are counted, at most: averages hardly move after that."""


@dataclass(frozen=True)
class Activity:
    """Trained values, and averages an image over the first ``images``; see ``cost.operations`` for the counts.

    ``spike_rates``: spikes a neuron and time step of every spiking node. ``effective_acs`` follows from them:
    each connection is taken to be as active as the node that it reads is on average.
    """

    images: int
    parameters: int
    pixel_macs: int
    head_macs: int
    dense_acs: int
    effective_acs: int
    membrane_updates: int
    spike_rates: dict[str, float]
    evidence: Literal["measured"] = "measured"


@dataclass
class SpikeCounter:
    """Counts the spikes of the first ``MEASURED_IMAGES`` images of all that it is shown."""

    images: int = 0
    spikes: Counter[str] = field(default_factory=Counter)
    chances: Counter[str] = field(default_factory=Counter)

    def add(self, spikes: Mapping[str, NDArray[np.uint8]]) -> None:
        """Count ``spikes`` uint8 [T, n, C, H, W] of the nodes, those of a ``Trace`` of the reference."""
        left = MEASURED_IMAGES - self.images
        if left <= 0:
            return
        for name, planes in spikes.items():
            counted = planes[:, :left]
            self.spikes[name] += int(np.count_nonzero(counted))
            self.chances[name] += counted.size
        self.images += min(left, next(iter(spikes.values())).shape[1])

    def activity(self, graph: Graph) -> Activity:
        """The operations of ``graph`` at the spike rates counted so far, of at least one image."""
        rates = {name: self.spikes[name] / chances for name, chances in self.chances.items()}
        found = operations(graph, rates)
        return Activity(
            images=self.images,
            parameters=parameter_count(graph),
            pixel_macs=found.pixel_macs,
            head_macs=found.head_macs,
            dense_acs=found.dense_acs,
            effective_acs=found.effective_acs or 0,
            membrane_updates=found.membrane_updates,
            spike_rates=rates,
        )
