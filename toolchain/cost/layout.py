"""``layout``: where every byte of a network goes on a board. The search counts it, the C exporter emits it.

Flash holds code, constants and a known-answer vector; SRAM holds the arena, the mailbox (input pixels
and scores) and the stack. Only the code's size is an estimate (a table of measured sizes per core and
compiler); everything else is exact, and ``verification`` proves it from the linked image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from toolchain.cost.arena import Buffer, arena_bytes, buffers
from toolchain.cost.code_size import code_bytes
from toolchain.cost.packing import Constant, aligned, constants
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import RegionLimit, budget
from toolchain.profiles.schema import Profile

MAILBOX_HEADER_BYTES = 16
"""Four words before the pixels: magic, command, status, result of the self-test."""


@dataclass(frozen=True)
class Item:
    """Something placed in a region: ``code``, ``constants``, ``arena``, ``mailbox`` or ``stack``."""

    name: str
    region: str
    size_bytes: int


@dataclass(frozen=True)
class RegionUse:
    """How much of a region's share for the network is taken; negative headroom means that it does not fit."""

    name: str
    kind: str
    available_bytes: int
    used_bytes: int

    @property
    def headroom_bytes(self) -> int:
        """Bytes that remain."""
        return self.available_bytes - self.used_bytes


@dataclass(frozen=True)
class Layout:
    """A network's bytes on a board; ``items`` and ``regions`` are empty for a Linux board."""

    constants: tuple[Constant, ...]
    buffers: tuple[Buffer, ...]
    items: tuple[Item, ...]
    regions: tuple[RegionUse, ...]
    input_bytes: int
    scores_bytes: int
    stack_bytes: int

    @property
    def constants_bytes(self) -> int:
        """Flash of weights, descriptors and the known answer, each array aligned."""
        return sum(aligned(constant.size_bytes) for constant in self.constants)

    @property
    def arena_bytes(self) -> int:
        """SRAM of spikes, scratch and counts."""
        return arena_bytes(self.buffers)

    @property
    def mailbox_bytes(self) -> int:
        """SRAM through which pixels come in and scores go out."""
        return MAILBOX_HEADER_BYTES + aligned(self.input_bytes) + self.scores_bytes

    @property
    def flash_bytes(self) -> int:
        """Flash of the whole image (its code estimated)."""
        return self._used("flash")

    @property
    def sram_bytes(self) -> int:
        """SRAM of the whole image, the reserved stack included."""
        return self._used("sram")

    def _used(self, kind: str) -> int:
        return sum(region.used_bytes for region in self.regions if region.kind == kind)


def layout(graph: Graph, profile: Profile) -> Layout:
    """Lay ``graph`` out on the board of ``profile``; weights are not needed.

    Each item goes to the first region, in the profile's order, that may hold it and has room; one that
    fits nowhere stays in the first that may hold it, whose headroom is then negative. The code's size is
    that of the default compiler.
    """
    found = constants(graph)
    placed = buffers(graph)
    empty = Layout(
        found, placed, (), (), graph.input.shape.size, graph.head.classes * 4, profile.stack_bytes or 0
    )
    limits = budget(profile).regions
    if not limits:
        return empty
    if profile.core is None:
        raise InputError(f"profile {profile.name} has memory regions but no core; add `core`")
    # The start-up code copies nothing, so what has content must lie where it is loaded: in flash.
    wanted = (
        ("code", "flash", "code", code_bytes(graph, profile.core)),
        ("constants", "flash", "weights", empty.constants_bytes),
        ("stack", "sram", "stack", empty.stack_bytes),
        ("mailbox", "sram", "buffers", empty.mailbox_bytes),
        ("arena", "sram", "buffers", empty.arena_bytes),
    )
    used = {limit.name: 0 for limit in limits}
    items = []
    for name, kind, holds, size in wanted:
        able = [limit for limit in limits if limit.kind == kind and holds in limit.holds]
        region = _choose(able, used, size, f"{profile.name} has no {kind} region that holds {holds}")
        used[region] += size
        items.append(Item(name, region, size))
    regions = tuple(RegionUse(r.name, r.kind, r.available_bytes, used[r.name]) for r in limits)
    return replace(empty, items=tuple(items), regions=regions)


def _choose(able: Sequence[RegionLimit], used: Mapping[str, int], size: int, otherwise: str) -> str:
    """Name of the first of the regions ``able`` to hold ``size`` bytes more, or else of the first."""
    if not able:
        raise InputError(f"{otherwise}; add it to a region's `holds`")
    return next((r.name for r in able if used[r.name] + size <= r.available_bytes), able[0].name)
