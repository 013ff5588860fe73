"""How the integer neuron is said in NIR's equations, so that a reader's Euler steps compute the same.

NIR's LIF is tau dv/dt = (v_leak - v) + r i, fires at v > v_threshold and goes to v_reset. A reader takes Euler steps:

    v <- v + dt / tau * (v_leak - v + r i) = (1 - dt / tau) v + dt / tau * r i

A potential u of an integer neuron is written as v = u / threshold, which makes one threshold of all channels, as
snnTorch's reader asks for. With v_leak = 0, r = 1 and tau = dt / (1 - kept) a step keeps the share ``kept`` that the
leak keeps, and currents are written times tau / dt. r = 1 is what norse takes without reading it, and any reader that
does read it computes the same. dt is snnTorch's; norse is told (``from_nir(graph, dt=1e-4)``).

``docs/concepts/nir.md`` says what of a network NIR has no words for.
"""

from __future__ import annotations

import numpy as np

from toolchain.graph.nodes import Leak

DT = 1e-4
"""Seconds of a time step."""

THRESHOLD = float(np.nextafter(np.float32(1), np.float32(0)))
"""The largest float32 below 1: what is above it is at least 1, and so NIR's > becomes the integers' >=."""

STEPS_OF_NO_LEAK = 2.0**24
"""tau / dt of neurons that keep all: 1 - 2**-24 is the largest share below 1 that float32 holds. (NIR's IF would be
the plain word, but snnTorch 1.0 reads it as a neuron that keeps 0.9.)"""

OR_THRESHOLD = 0.5
"""Max pooling of spikes is a sum over the window, and a neuron that keeps nothing and fires above this."""

PIXEL_UNIT = 2.0**-8
"""The value that stands for one level of a pixel."""


def steps(leak: Leak) -> float:
    """tau / dt of neurons with this leak, which is also what their currents are multiplied by."""
    return STEPS_OF_NO_LEAK if leak.form == "none" else 1 / (1 - leak.kept)
