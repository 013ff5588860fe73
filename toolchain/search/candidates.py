"""A whole network that a search considers: what it takes, why it was considered, and what training it gave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from statistics import fmean

from toolchain.architecture.text import AnyArchitecture, to_text
from toolchain.search.board import Verdict
from toolchain.search.trainings import Extent, Outcome


@dataclass(frozen=True)
class Candidate:
    """A network within the budget. ``roles`` say why it is in the pool, such as ``reference`` or ``largest``."""

    verdict: Verdict
    roles: tuple[str, ...] = ()

    @property
    def architecture(self) -> AnyArchitecture:
        """Its structure."""
        return self.verdict.architecture

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that name the architecture, in every run the same."""
        return architecture_id(self.architecture)


@dataclass
class Trained:
    """A candidate with the outcomes of its trainings; ``extent`` is the longest so far, shared by the last ones."""

    candidate: Candidate
    extent: Extent
    rung: int
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def quality(self) -> float:
        """Mean over the seeds of the integer network's accuracy, or R2, on held-out images."""
        return fmean(outcome.quality for outcome in self.outcomes)

    @property
    def operations(self) -> int:
        """Effective synaptic operations an image, mean over the seeds."""
        return round(fmean(outcome.operations for outcome in self.outcomes))

    @property
    def size_bytes(self) -> int:
        """What the network takes of the board: its flash, or its largest file."""
        used = self.candidate.verdict.footprint
        size = used.flash_bytes if used.flash_bytes is not None else used.artifact_bytes
        assert size is not None  # a board has regions or files
        return size


def architecture_id(architecture: AnyArchitecture) -> str:
    """The first eight hexadecimal digits of the SHA-256 of the architecture's line."""
    return hashlib.sha256(to_text(architecture).encode()).hexdigest()[:8]
