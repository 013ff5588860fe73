"""What every runtime provides: it runs one artifact on images and returns its integer scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Evidence = Literal["measured", "emulated"]
"""``measured``: computed by this machine's processor; ``emulated``: by an emulated target processor."""


class Named(Protocol):
    """What runs an artifact, by a ``name`` with its version."""

    @property
    def name(self) -> str: ...

    @property
    def evidence(self) -> Evidence: ...


@dataclass(frozen=True)
class BoardRuntime:
    """``Named`` of what ran on a real board."""

    name: str
    evidence: Evidence = "measured"


class Runtime(Named, Protocol):
    """An opened artifact."""

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W]."""
        ...
