from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain import profiles
from toolchain.cost.regions import Part, assign, image_parts, used_bytes
from toolchain.errors import InputError
from toolchain.profiles.budget import budget

NAMES = [name for name in profiles.available() if profiles.load(name).regions]
SIZES = st.tuples(*[st.integers(0, 1 << 21)] * 5)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.lists(SIZES, min_size=1, max_size=5))
def test_many_images_are_placed_like_each(name: str, images: list[tuple[int, ...]]) -> None:
    profile = profiles.load(name)
    limits = budget(profile).regions
    columns = [np.array(column) for column in zip(*images, strict=True)]
    together = image_parts(*columns)  # type: ignore[arg-type]
    placed = assign(together, limits, profile)
    for row, sizes in enumerate(images):
        parts = image_parts(*sizes)
        alone = assign(parts, limits, profile)
        for part, many, one in zip(parts, placed, alone, strict=True):
            region = np.broadcast_to(many, len(images))[row]
            assert region == one and part.holds in limits[int(one)].holds
        for index in range(len(limits)):
            used = np.broadcast_to(used_bytes(together, placed, index), len(images))
            assert used[row] == used_bytes(parts, alone, index)
        assert sum(used_bytes(parts, alone, index) for index in range(len(limits))) == sum(sizes)


def test_a_part_without_a_place_is_named() -> None:
    profile = profiles.load("rp2040")
    flash = [limit for limit in budget(profile).regions if limit.kind == "flash"]
    with pytest.raises(InputError, match="rp2040 has no sram region that holds stack"):
        assign([Part("stack", "sram", "stack", 8)], flash, profile)
