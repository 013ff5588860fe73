from __future__ import annotations

from pathlib import Path

import pytest

import exporters.c
from exporters.c.build import build
from tests.toolchain.inspecting.conftest import BOARD, GRAPH
from toolchain.cost.layout import layout
from toolchain.inspecting.firmware import inspect_elf
from toolchain.verification.elf import read_elf
from toolchain.verification.image_use import used_bytes


def test_an_image_has_the_bytes_that_verification_finds(folder: Path) -> None:
    found = inspect_elf(folder / "firmware.elf")
    flash, sram = (sum(sizes) for sizes in zip(*found.sections.values(), strict=True))
    used = used_bytes(read_elf(folder / "firmware.elf"), BOARD)
    kinds = {region.name: region.kind for region in BOARD.regions}
    assert flash == sum(count for name, count in used.items() if kinds[name] == "flash")
    assert sram == sum(count for name, count in used.items() if kinds[name] == "sram")
    assert flash == (folder / "firmware.bin").stat().st_size
    assert sum(found.by_kind.values()) == found.size_bytes == (folder / "firmware.elf").stat().st_size


def test_symbols_are_those_of_the_plan(folder: Path) -> None:
    found = inspect_elf(folder / "firmware.elf")
    symbols = {symbol.name: symbol for symbol in found.symbols}
    plan = layout(GRAPH, BOARD)
    for constant in plan.constants:
        assert symbols[f"net_{constant.symbol}"].flash_bytes == constant.size_bytes
        assert symbols[f"net_{constant.symbol}"].sram_bytes == 0
    assert (symbols["net_arena"].sram_bytes, symbols["net_arena"].kind) == (plan.arena_bytes, "buffers")
    assert symbols["net_infer"].kind == "code" and symbols["net_head_weights"].kind == "weights"
    assert symbols["net_head_bias"].kind == "biases" and symbols["net_info"].kind == "metadata"
    assert found.facts["graph_sha256"] == GRAPH.sha256() and found.facts["compiler"] == "zig"
    assert found.facts["time_steps"] == GRAPH.time_steps


def test_a_network_of_another_name_is_found_too(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    exporters.c.export(GRAPH, BOARD, tmp_path, prefix="gate")
    build(tmp_path / "c", BOARD, "zig")
    found = inspect_elf(tmp_path / "firmware.elf")
    assert found.facts["graph_sha256"] == GRAPH.sha256()
    kinds = {symbol.name: symbol.kind for symbol in found.symbols}
    assert (kinds["gate_head_weights"], kinds["gate_info"]) == ("weights", "metadata")
