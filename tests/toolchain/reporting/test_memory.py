from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.graphs import random_graph
from toolchain import profiles, runs
from toolchain.cost.layout import layout
from toolchain.graph.storage import save_graph
from toolchain.reporting.document import Memory, Region
from toolchain.reporting.memory import memory
from toolchain.reporting.sources import read
from toolchain.settings import LimitSettings, RunSettings


def mapped(folder: Path, board: str, **limits: int) -> Memory:
    settings = RunSettings(limits=LimitSettings(**limits))
    run = runs.create(folder / board, profiles.load(board), settings)
    save_graph(random_graph(1), run.path)
    found = memory(read(run))
    assert found is not None
    return found


def kinds(region: Region) -> list[str]:
    return [segment.kind for segment in region.segments]


@pytest.mark.parametrize("board", ["stm32f405", "crazyflie_2_1", "pixhawk_6c", "esp32s3"])
def test_every_region_adds_up_to_its_size(tmp_path: Path, board: str) -> None:
    profile = profiles.load(board)
    for region in mapped(tmp_path, board).regions:
        known = profile.region(region.name)
        assert sum(segment.size_bytes for segment in region.segments) == region.size_bytes == known.size_bytes
        assert ("reserved" in kinds(region)) == (known.reserved_bytes > 0)
    plan = layout(random_graph(1), profile)
    assert [region.used_bytes for region in mapped(tmp_path / "2", board).regions] == [
        region.used_bytes for region in plan.regions
    ]


def test_what_is_reserved_lies_where_the_profile_has_it(tmp_path: Path) -> None:
    board = "crazyflie_2_1"
    for region in mapped(tmp_path, board).regions:
        known = profiles.load(board).region(region.name)
        assert kinds(region).index("reserved") in (
            (0,) if known.reserved_at == "start" else (len(kinds(region)) - 1,)
        )


def test_a_narrowed_budget_withholds_the_rest(tmp_path: Path) -> None:
    regions = {region.name: region for region in mapped(tmp_path, "stm32f405", flash_bytes=65536).regions}
    flash = {segment.kind: segment.size_bytes for segment in regions["flash"].segments}
    assert flash["withheld"] == regions["flash"].size_bytes - 65536
    assert flash["free"] == 65536 - regions["flash"].used_bytes
    assert sum(flash.values()) == regions["flash"].size_bytes


def test_what_is_over_is_told(tmp_path: Path) -> None:
    (flash,) = [
        region for region in mapped(tmp_path, "stm32f405", flash_bytes=1024).regions if region.kind == "flash"
    ]
    assert flash.over_bytes == flash.used_bytes - 1024 > 0
    assert "free" not in kinds(flash)
