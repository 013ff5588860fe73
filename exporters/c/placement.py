"""The linker script: the board's regions and what ``cost.layout`` placed in each."""

from __future__ import annotations

import re

from exporters.c import templates
from toolchain.cost.layout import Layout
from toolchain.profiles.schema import Profile

IMAGE_DEFINITION = ("0xFFFFDED3", "0x10210142", "0x000001FF", "0x00000000", "0xAB123579")
"""The block that an RP2350's boot ROM looks for in the first 4 KiB before it starts an image: executable, Arm, secure,
and no other block (RP2350 datasheet, section 5.9.5.1). It goes into every Cortex-M33 image; other chips do not mind it.
"""


def identifier(index: int, name: str) -> str:
    """The region's name in the linker script: unique, and safe whatever a profile calls it."""
    return f"region{index}_" + re.sub(r"\W", "_", name)


def memory(profile: Profile) -> list[str]:
    """The regions of ``profile``, less what is reserved, as lines of a linker script."""
    return [
        f"{identifier(index, region.name)} : "
        f"ORIGIN = 0x{region.available_origin:08X}, LENGTH = {region.available_bytes}"
        for index, region in enumerate(profile.regions)
    ]


def linker_script(plan: Layout, profile: Profile, prefix: str) -> str:
    """The script that links ``plan`` into the free part of the regions of ``profile``, and refuses anything more."""
    by_name = {region.name: identifier(index, region.name) for index, region in enumerate(profile.regions)}
    copied = plan.copies.symbols if plan.copies else ()
    context = {
        "profile": templates.comment(profile.name),
        "prefix": prefix,
        "memory": memory(profile),
        "image_definition": IMAGE_DEFINITION if profile.core == "cortex-m33" else (),
        "place": {item.name: by_name[item.region] for item in plan.items},
        "stack_bytes": plan.stack_bytes,
        "mailbox_bytes": plan.mailbox_bytes,
        "arena_bytes": plan.arena_bytes,
        "constants_bytes": plan.constants_bytes,
        "copies": copied,
        "kept": [constant.symbol for constant in plan.constants if constant.symbol not in copied],
        "copies_bytes": plan.copies.size_bytes if plan.copies else 0,
    }
    return templates.render("link.ld.j2", context)
