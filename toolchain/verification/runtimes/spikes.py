"""The spikes inside an artifact, by the names that the exporters give them: ``NODE.spikes``, ``.tSTEP``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError

SPIKES = ".spikes"
"""What the names of spikes contain."""

Spikes = NDArray[np.uint8]


def all_steps(found: Mapping[str, NDArray[Any]], node: str, time_steps: int, path: Path) -> Spikes:
    """Spikes uint8 [T, n, C, H, W] of ``node`` from the values of every step, [n, C, H, W].

    What is equal in all steps is computed once, in the first, and stands for the others. Raises ``InputError`` if
    there are none.
    """
    steps: list[NDArray[Any]] = []
    for step in range(time_steps):
        value = found.get(f"{node}{SPIKES}.t{step}", steps[-1] if steps else None)
        if value is None:
            raise InputError(f"{path} does not show the spikes of {node}; export it again")
        steps.append(value)
    return np.stack(steps).astype(np.uint8)
