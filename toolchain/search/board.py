"""Which architectures fit: the one place where a search asks the cost model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolchain.architecture.build import build
from toolchain.architecture.snasnet import SnasnetArchitecture, refuse
from toolchain.architecture.text import AnyArchitecture
from toolchain.cost import snasnet
from toolchain.cost.figures import Figures, require_predictable
from toolchain.cost.footprint import Excess, Footprint, Held, exceeded, footprint, held
from toolchain.datasets import Dataset
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.measures import Task
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile

LATENCY = "latency"
"""Name of the limit that the profile or the user sets on the time for an image."""

PACE = "pace"
"""Name of our own limit on it: a camera's frame, for boards without a latency; it yields if nothing keeps it.

Memory alone would let a board with a megabyte of flash choose a network that takes seconds.
"""

FRAME_MS = 1000 / 30
"""Time for one image if a microcontroller is to keep up with a camera."""


@dataclass(frozen=True)
class Verdict:
    """What an architecture takes and by what it is over."""

    architecture: AnyArchitecture
    footprint: Footprint
    excesses: tuple[Excess, ...]

    @property
    def operations(self) -> int:
        """Dense synaptic operations of an image."""
        return self.footprint.operations

    @property
    def latency_ms(self) -> float | None:
        """Time for an image (estimate); None where the profile does not say how fast the board is."""
        return self.footprint.latency_ms

    @property
    def fits(self) -> bool:
        """Whether it keeps to every limit."""
        return not self.excesses

    @property
    def dropped_by(self) -> list[str]:
        """Names of the limits that it breaks."""
        return [excess.limit for excess in self.excesses]


@dataclass(frozen=True)
class Board:
    """A profile with its budget, and the data that networks for it shall take.

    ``demonstration``: the data is the built-in digits, so nothing found is meant for deployment. ``pace_ms``:
    the longest that an image may take on a microcontroller without a latency limit; None for other boards, and
    where no network is fast enough. ``shifts``: of a regression, the powers of two of its numbers' units.
    ``widths``: bits in which a search may have weights stored.
    """

    profile: Profile
    limits: Budget
    pixels: Shape
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    demonstration: bool
    pace_ms: float | None
    shifts: tuple[int, ...] = ()
    widths: tuple[int, ...] = (8,)

    @classmethod
    def for_data(
        cls, profile: Profile, limits: Budget, data: Dataset, widths: tuple[int, ...] = (8,)
    ) -> Board:
        """The board with the input and the classes or numbers of ``data``.

        Raises ``InputError`` if the budget names artifacts whose sizes cannot be predicted for it.
        """
        require_predictable(profile, limits)
        pixels = data.pixels
        pace = FRAME_MS if profile.core is not None and limits.latency_ms is None else None
        return cls(
            profile,
            limits,
            pixels,
            data.preprocessing,
            data.labels,
            data.is_demonstration,
            pace,
            data.shifts,
            widths,
        )

    @property
    def task(self) -> Task:
        """What a network is asked for."""
        return "regression" if self.shifts else "classification"

    def graph(self, architecture: AnyArchitecture) -> Graph:
        """The architecture's Graph for this data; raises ``InputError`` if it cannot be built.

        Networks of the ``snasnet`` space have none: their nodes pass real numbers.
        """
        if isinstance(architecture, SnasnetArchitecture):
            raise refuse("A graph of spikes")
        return build(architecture, self.pixels, self.preprocessing, self.labels, self.shifts)

    def held(self, used: Footprint | Figures) -> Iterator[Held]:
        """Every limit that applies, of the budget and the pace, with what is ``used`` of it."""
        yield from held(used, self.limits)
        if self.pace_ms is not None and used.latency_ms is not None:
            yield PACE, used.latency_ms, self.pace_ms

    def judge(self, architecture: AnyArchitecture) -> Verdict:
        """Hold ``architecture`` against the budget and the pace; raises ``InputError`` if it cannot be built.

        A microcontroller takes none of the ``snasnet`` space.
        """
        if isinstance(architecture, SnasnetArchitecture):
            used = snasnet.footprint(architecture, self.pixels, len(self.labels), self.profile)
        else:
            used = footprint(self.graph(architecture), self.profile, self.limits.targets)
        return Verdict(architecture, used, tuple(exceeded(self.held(used))))
