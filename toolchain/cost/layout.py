"""``layout``: where every byte of a network goes on a board. The search counts it, the C exporter emits it.

Flash holds code, constants and a known-answer vector; SRAM holds the arena, the mailbox (input pixels
and scores) and the stack. Only the code's size is an estimate (a table of measured sizes per core and
compiler); everything else is exact, and ``verification`` proves it from the linked image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolchain.cost.amounts import Amount
from toolchain.cost.arena import Buffer, arena_bytes, buffers
from toolchain.cost.code_size import COPYING_BYTES, code_bytes
from toolchain.cost.copies import Copies, copies
from toolchain.cost.packing import Constant, aligned, constants
from toolchain.cost.regions import assign, image_parts, used_bytes
from toolchain.cost.stack_size import stack_bytes
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Profile
from toolchain.schedules import Schedule

MAILBOX_HEADER_BYTES = 16
"""Four words before the pixels: magic, command, status, result of the self-test."""


@dataclass(frozen=True)
class Item:
    """Something placed in a region: ``code``, ``constants``, ``arena``, ``mailbox``, ``stack``, ``copies``."""

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
    copies: Copies | None = None

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
        return int(mailbox_bytes(self.input_bytes, self.scores_bytes))

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


def layout(graph: Graph, profile: Profile, schedule: Schedule = "layers") -> Layout:
    """Lay ``graph`` out on the board of ``profile``, to run by ``schedule``; weights are not needed.

    Each item goes to the first region, in the profile's order, that may hold it and has room; one that
    fits nowhere stays in the first that may hold it, whose headroom is then negative. The code's size is
    that of the default compiler. Copies of weights take of what is then left.
    """
    found = constants(graph)
    placed = buffers(graph, schedule)
    empty = Layout(
        found, placed, (), (), graph.input.size, graph.head.classes * 4, stack_bytes(profile, schedule)
    )
    limits = budget(profile).regions
    if not limits:
        return empty
    if profile.core is None:
        raise InputError(f"profile {profile.name} has memory regions but no core; add `core`")
    parts = image_parts(
        code_bytes(graph, profile.core, schedule=schedule),
        empty.constants_bytes,
        empty.stack_bytes,
        empty.mailbox_bytes,
        empty.arena_bytes,
    )
    chosen = assign(parts, limits, profile)
    items = [
        Item(part.name, limits[int(region)].name, int(part.size_bytes))
        for part, region in zip(parts, chosen, strict=True)
    ]
    regions = [
        RegionUse(limit.name, limit.kind, limit.available_bytes, int(used_bytes(parts, chosen, index)))
        for index, limit in enumerate(limits)
    ]
    plan = replace(empty, items=tuple(items), regions=tuple(regions))
    return _with_copies(plan, copies(graph, profile, found, _left(plan)))


def _left(plan: Layout) -> dict[str, int]:
    """Bytes that each region has left for copies: none where the code that makes them has no room in flash."""
    code = next(item.region for item in plan.items if item.name == "code")
    left = {region.name: region.headroom_bytes for region in plan.regions}
    return left if left[code] >= COPYING_BYTES else dict.fromkeys(left, 0)


def _with_copies(plan: Layout, copied: Copies | None) -> Layout:
    if copied is None:
        return plan
    items = [
        replace(item, size_bytes=item.size_bytes + COPYING_BYTES * (item.name == "code"))
        for item in plan.items
    ]
    items.append(Item("copies", copied.region, copied.size_bytes))
    regions = tuple(
        replace(region, used_bytes=sum(item.size_bytes for item in items if item.region == region.name))
        for region in plan.regions
    )
    return replace(plan, items=tuple(items), regions=regions, copies=copied)


def mailbox_bytes(input_bytes: Amount, scores_bytes: Amount) -> Amount:
    """SRAM through which pixels come in and scores go out."""
    return MAILBOX_HEADER_BYTES + aligned(input_bytes) + scores_bytes
