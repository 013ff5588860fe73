"""The algorithms by name."""

from __future__ import annotations

from toolchain.errors import InputError
from toolchain.search.algorithms.base import Algorithm

NAMES = ("spikenas", "snasnet", "random", "evolution")
"""The first is the default."""


def algorithm(name: str) -> Algorithm:
    """The algorithm called ``name``; raises ``InputError`` if there is none."""
    # Each is imported when it is asked for: one needs an optional package, others torch.
    if name == "spikenas":
        from toolchain.search.algorithms.spikenas import SpikeNas

        return SpikeNas()
    if name == "snasnet":
        from toolchain.search.algorithms.snasnet import Snasnet

        return Snasnet()
    if name == "random":
        from toolchain.search.algorithms.random_draws import RandomDraws

        return RandomDraws()
    if name == "evolution":
        from toolchain.search.algorithms.evolution import Evolution

        return Evolution()
    raise InputError(f"there is no search algorithm {name!r:.40}; choose one of {', '.join(NAMES)}")
