"""Whatever runs kernels: it is given a call, and the memory that the call leaves is compared with the reference."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tests.exporters.c.kernels.cases import Case
from tests.exporters.c.kernels.memory import Placed, place
from tests.exporters.c.kernels.structs import Header


class Kernels(ABC):
    """A machine with all kernels; ``read_only`` and ``writable``: first address and end of the memory for cases."""

    def __init__(self, header: Header, read_only: tuple[int, int], writable: tuple[int, int]) -> None:
        self._header = header
        self._memories = (read_only, writable)

    @abstractmethod
    def run(self, placed: Placed) -> bytes:
        """Make the call and return what then lies where its outcome is expected."""

    def fits(self, case: Case) -> bool:
        """Whether the machine's memory holds ``case``."""
        placed = self._place(case)
        ends = [start + len(content) for start, content in placed.content.items()]
        return all(end <= limit for end, (_, limit) in zip(ends, self._memories, strict=True))

    def differing(self, case: Case, planted: Case | None = None) -> str:
        """Run ``case`` and say what differs from the reference, empty if nothing does.

        ``planted``: a case of the same extents that is run in its place.
        """
        wanted = self._place(case)
        run = wanted if planted is None else self._place(planted)
        wrong = wanted.differing(self.run(run))
        if not wrong:
            return ""
        offsets = ", ".join(str(address - wanted.arena) for address in wrong[:5])
        return f"{case.kernel}, seed {case.seed}: {len(wrong)} bytes differ, first at {offsets} of the arena"

    def _place(self, case: Case) -> Placed:
        return place(case, self._header, *(start for start, _ in self._memories))
