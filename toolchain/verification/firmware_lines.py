"""Somebody's own firmware against a board's memories: the whole image, and apart from it what is the network's.

The whole image is held to whole memories, since it is what fills the part that a profile reserves for it. On a
hosted board the profile's budget is the network's, and holds what is the network's in the image; on a standalone
board the budget is the image's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from toolchain.errors import InputError
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile, Region
from toolchain.verification.budget_lines import BudgetLine, memory_lines, takes_no_firmware
from toolchain.verification.elf import Image
from toolchain.verification.image_map import FLASH, SRAM, ImageMap, MemoryRow, image_map
from toolchain.verification.network_symbols import NetworkBytes, prefixes_of

ELSEWHERE = "elsewhere"
"""The resource of what lies in no memory of the profile."""

_SHOWN = 4


@dataclass(frozen=True)
class NetworkLimits:
    """Limits of the network's part alone, over all memories of a kind; None where nothing more is asked."""

    flash_bytes: int | None = None
    sram_bytes: int | None = None


@dataclass(frozen=True)
class FirmwareUse:
    """The lines of an image, the rows of its map, and what the user should know besides."""

    lines: list[BudgetLine]
    memory: tuple[MemoryRow, ...]
    notes: list[str]


def firmware_use(
    image: Image,
    profile: Profile | None,
    limits: Budget,
    network: NetworkLimits = NetworkLimits(),
    prefixes: Iterable[str] = (),
) -> FirmwareUse:
    """Hold ``image`` to ``limits``, and what is the network's in it to ``network``.

    Without a profile, memories are told apart by what sections are, as the tool ``size`` does. ``prefixes`` begin the
    names of the network's symbols; without them, networks that were exported here are found. Raises ``InputError`` if
    no symbol begins so, or the image is for another board.
    """
    if profile is not None and not profile.regions:
        raise takes_no_firmware(image.path, profile)
    found = prefixes_of(image, prefixes)
    if not found and network != NetworkLimits():
        raise InputError(
            f"{image.path} has limits for its network, and no symbols of one; give the prefix of its symbols, and an "
            ".elf file that has them (not stripped)"
        )
    plan = image_map(image, profile, NetworkBytes(image, found))
    form = BudgetLine(image.path.name, "", 0, None, "measured")
    caps: dict[str, int | None]
    if profile is None:
        kinds = {FLASH: FLASH, SRAM: SRAM}
        caps = {FLASH: limits.flash_bytes, SRAM: limits.sram_bytes}
        lines = memory_lines(form, plan.used, caps, kinds, {})
        notes = []
    else:
        kinds = {region.name: region.kind for region in profile.regions}
        _require_for(profile, image, plan)
        lines = memory_lines(form, plan.used, *_whole(profile, limits, plan, kinds))
        lost = [row for row in plan.rows if row.region is None]
        if lost:
            size = sum(row.size_bytes for row in lost)
            lines.append(replace(form, resource=ELSEWHERE, used=size))
        notes = [_lost(image, profile, lost)] if lost else []
    if not image.sections:
        # Such a file says what is written, and nothing of what runs.
        lines = [line for line in lines if line.used or not line.resource.startswith(_memories(kinds, SRAM))]
    if found:
        share = replace(form, resource=", network", note=f"by symbols {', '.join(map(_starred, found))}")
        lines += memory_lines(share, plan.network, *_share(profile, limits, network, kinds))
    elif image.sections:
        notes.append(
            f"{image.path.name} shows no exported network by its symbols (NAME_infer and NAME_arena), so only the "
            "whole image is held to a limit; --symbol-prefix says what begins your network's symbols"
        )
    return FirmwareUse(lines, plan.rows, notes)


def _whole(
    profile: Profile, limits: Budget, plan: ImageMap, kinds: dict[str, str]
) -> tuple[dict[str, int | None], dict[str, str], dict[str, int | None]]:
    """What the whole image may take of each region; the regions' kinds; what it may take of all of a kind."""
    rooms = {region.name: _room(region, plan) for region in profile.regions}
    totals = {}
    for kind, limit in ((FLASH, limits.flash_bytes), (SRAM, limits.sram_bytes)):
        names = [name for name, which in kinds.items() if which == kind]
        total = sum(rooms[name] for name in names)
        given = sum(region.available_bytes for region in profile.regions if region.kind == kind)
        if limit is not None and profile.role != "hosted" and limit < given:
            total = min(total, limit)
            rooms |= {name: min(rooms[name], limit) for name in names}
        totals[kind] = total
    return dict(rooms), kinds, dict(totals)


def _room(region: Region, plan: ImageMap) -> int:
    """Bytes of ``region`` that an image may take: of flash from its own first byte on, since what is before that is
    a bootloader's, and not what is reserved at the end."""
    end = region.origin + region.size_bytes - (region.reserved_bytes if region.reserved_at == "end" else 0)
    first = plan.first.get(region.name, region.origin) if region.kind == FLASH else region.origin
    return max(end - first, 0)


def _share(
    profile: Profile | None, limits: Budget, network: NetworkLimits, kinds: dict[str, str]
) -> tuple[dict[str, int | None], dict[str, str], dict[str, int | None]]:
    """As ``_whole``, of what is the network's."""
    hosted = profile is not None and profile.role == "hosted"
    rooms: dict[str, int | None] = dict.fromkeys(kinds)
    if hosted:
        rooms |= {region.name: region.available_bytes for region in limits.regions}
    totals: dict[str, int | None] = {}
    for kind, budget, asked in (
        (FLASH, limits.flash_bytes, network.flash_bytes),
        (SRAM, limits.sram_bytes, network.sram_bytes),
    ):
        totals[kind] = _least(asked, budget if hosted else None)
        rooms |= {name: _least(rooms[name], asked) for name, which in kinds.items() if which == kind}
    return rooms, kinds, totals


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _require_for(profile: Profile, image: Image, plan: ImageMap) -> None:
    if not any(plan.used[region.name] for region in profile.regions if region.kind == FLASH):
        where = min(row.address for row in plan.rows)
        raise InputError(
            f"{image.path} puts nothing into the flash of {profile.name} (it begins at 0x{where:08x}); check it with "
            "the profile of the board that it was built for"
        )


def _lost(image: Image, profile: Profile, rows: list[MemoryRow]) -> str:
    names = [row.section for row in rows]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return (
        f"{sum(row.size_bytes for row in rows):,} bytes of {image.path.name} lie in no memory of {profile.name} and "
        f"are held to no limit ({shown}, from 0x{min(row.address for row in rows):08x})"
    )


def _memories(kinds: dict[str, str], kind: str) -> tuple[str, ...]:
    return (kind, *(name for name, which in kinds.items() if which == kind))


def _starred(prefix: str) -> str:
    return f"{prefix}*"
