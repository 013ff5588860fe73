"""NIR files read back: the network that a file holds, interpreted by the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.nir.read import load
from toolchain.graph import reference
from toolchain.verification.runtimes.base import Evidence


class NirRuntime:
    """The network of ``path``, which need not be that of the run; raises as ``exporters.nir.load``."""

    name = "NIR re-imported here"
    evidence: Evidence = "measured"

    def __init__(self, path: Path) -> None:
        self.graph, self.facts = load(path)

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of pixels uint8 [n, C, H, W], or [n, T, C, H, W]."""
        return reference.scores(self.graph, images)
