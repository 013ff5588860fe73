"""Images linked for boards: sizes as planned, repeatable, and refused in one sentence when they do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from exporters.c import compilers, export
from exporters.c.build import build, build_host
from exporters.c.cores import CORES
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.code_size import Compiler, code_bytes
from toolchain.cost.layout import Layout, layout
from toolchain.errors import InputError, OverBudgetError, ToolMissingError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import OrPool
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import read_elf
from toolchain.verification.runtimes.unicorn import UnicornRuntime

SEEDS = range(40)
POOLED = next(graph for graph in map(random_graph, SEEDS) if any(graph.all(OrPool)))
PLAIN = next(graph for graph in map(random_graph, SEEDS) if not any(graph.all(OrPool)))
BOARD = profiles.load("stm32f405")

Tools = Callable[[str], str]


@pytest.fixture(params=["zig", "gcc"])
def compiler(
    request: pytest.FixtureRequest, require_tool: Tools, require_package: Callable[[str], None]
) -> Compiler:
    """Each compiler for Arm."""
    chosen: Compiler = request.param
    if chosen == "gcc":
        require_tool("arm-none-eabi-gcc")
    else:
        require_package("ziglang")
    return chosen


def sources(folder: Path, graph: Graph = POOLED, board: Profile = BOARD) -> Path:
    return export(graph, board, folder)[0].parent


def symbols(elf: Path) -> dict[str, tuple[int, int]]:
    """Address and size of each symbol."""
    with elf.open("rb") as stream:
        table: Any = ELFFile(stream).get_section_by_name(".symtab")
        return {symbol.name: (symbol["st_value"], symbol["st_size"]) for symbol in table.iter_symbols()}


def resized(board: Profile, **sizes: int) -> Profile:
    """``board`` with other sizes of some regions."""
    regions = tuple(
        region.model_copy(update={"size_bytes": sizes.get(region.name, region.size_bytes)})
        for region in board.regions
    )
    return board.model_copy(update={"regions": regions})


def taken(plan: Layout) -> dict[str, int]:
    """Bytes that are planned in each region."""
    return {use.name: use.used_bytes for use in plan.regions}


def holding(board: Profile, **contents: tuple[str, ...]) -> Profile:
    """``board`` with other contents for some regions."""
    regions = tuple(
        region.model_copy(update={"holds": contents.get(region.name, region.holds)})
        for region in board.regions
    )
    return board.model_copy(update={"regions": regions})


APART = holding(BOARD, sram=("stack",), ccm=("buffers",))
"""Each of its memories can be too small by its last byte, since nothing may lie elsewhere."""


@pytest.mark.parametrize("core", CORES)
def test_every_core_s_image_is_as_planned(tmp_path: Path, compiler: Compiler, core: str) -> None:
    board = BOARD.model_copy(update={"core": core})
    plan = layout(POOLED, board)
    image = build(sources(tmp_path, POOLED, board), board, compiler)
    found = symbols(image.elf)
    for constant in plan.constants:
        assert found[f"net_{constant.symbol}"][1] == constant.size_bytes, constant.symbol
    assert found["net_arena"][1] == plan.arena_bytes
    assert found["spikenas_mailbox"][1] == plan.mailbox_bytes
    assert found["_stack_top"][0] - found["_stack_limit"][0] == plan.stack_bytes
    predicted = plan.constants_bytes + code_bytes(POOLED, core, compiler)
    assert image.binary.stat().st_size == pytest.approx(predicted, rel=0.02)
    with image.elf.open("rb") as stream:
        ram = [s for s in ELFFile(stream).iter_segments("PT_LOAD") if s["p_vaddr"] >= 0x2000_0000]
    assert sum(segment["p_memsz"] for segment in ram) == plan.sram_bytes
    assert sum(segment["p_filesz"] for segment in ram) == 0


def test_the_image_begins_with_the_vector_table(tmp_path: Path, compiler: Compiler) -> None:
    board = profiles.load("rp2040")
    image = build(sources(tmp_path, POOLED, board), board, compiler)
    found, content = symbols(image.elf), image.binary.read_bytes()
    words = [int.from_bytes(content[index : index + 4], "little") for index in range(0, 64, 4)]
    assert words[0] == found["_stack_top"][0]
    assert words[1] == found["Reset_Handler"][0] | 1 and words[3] == found["spikenas_fault"][0] | 1
    assert found["vectors"][0] == board.region("flash").available_origin


def test_the_same_network_gives_the_same_bytes_wherever_it_is_built(
    tmp_path: Path, compiler: Compiler
) -> None:
    images = []
    for folder in (tmp_path / "a", tmp_path / "elsewhere" / "b"):
        image = build(sources(folder), BOARD, compiler)
        images.append((image.elf.read_bytes(), image.binary.read_bytes()))
    assert images[0] == images[1]
    assert str(tmp_path).encode() not in images[0][0]


def test_an_image_that_fits_by_no_byte_more_runs_and_one_byte_less_does_not_link(
    tmp_path: Path, compiler: Compiler, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    sizes = taken(layout(POOLED, APART))
    sizes["flash"] = build(sources(tmp_path, board=APART), APART, compiler).binary.stat().st_size
    exact = resized(APART, **sizes)
    images = random_images(POOLED, 2)
    elf = build(sources(tmp_path, board=exact), exact, compiler).elf
    found = UnicornRuntime(elf, exact, POOLED).scores(images)
    assert np.array_equal(found, reference.scores(POOLED, images))
    for name, size in sizes.items():
        small = resized(APART, **(sizes | {name: size - 1}))
        with pytest.raises(OverBudgetError, match=rf"region {name} overflows its {size - 1} bytes by 1;"):
            build(sources(tmp_path, board=small), small, compiler)


def test_the_layout_fits_a_memory_to_the_byte() -> None:
    sizes = taken(layout(POOLED, APART))
    for name, size in sizes.items():
        for less in range(-4, 5):
            uses = layout(POOLED, resized(APART, **(sizes | {name: size - less}))).regions
            assert {use.name: -use.headroom_bytes for use in uses} == dict.fromkeys(sizes, 0) | {name: less}


def test_every_region_that_overflows_is_named_and_nothing_is_written(
    tmp_path: Path, compiler: Compiler
) -> None:
    small = resized(BOARD, flash=1024, sram=256, ccm=16)
    with pytest.raises(OverBudgetError, match=r"region flash .*; region sram ") as raised:
        build(sources(tmp_path, board=small), small, compiler)
    plan = layout(POOLED, small)
    missing = -next(region.headroom_bytes for region in plan.regions if region.name == "sram")
    assert f"region sram overflows its 256 bytes by {missing};" in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_data_beyond_the_plan_does_not_link(tmp_path: Path, compiler: Compiler) -> None:
    folder = sources(tmp_path)
    with (folder / "firmware.c").open("a") as stream:
        stream.write("\nint more = 1;\nint *address(void);\nint *address(void) { return &more; }\n")
    source = (folder / "startup.c").read_text()
    (folder / "startup.c").write_text(
        source.replace('"bl spikenas_fault', '"bl address\\n"\n        "bl spikenas_fault')
    )
    with pytest.raises(InputError, match="neither copy nor clear"):
        build(folder, BOARD, compiler)


def test_sources_that_do_not_compile_say_where(tmp_path: Path, compiler: Compiler) -> None:
    folder = sources(tmp_path)
    (folder / "net.c").write_text("int broken(\n")
    with pytest.raises(InputError, match=r"do not build for stm32f405: net\.c:"):
        build(folder, BOARD, compiler)


def test_a_folder_without_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="export the network for stm32f405 first"):
        build(tmp_path, BOARD)
    with pytest.raises(InputError, match="holds no exported network"):
        build_host(tmp_path)


def test_sources_for_another_board_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exported for another board; export the network for rp2040 first"):
        build(sources(tmp_path), profiles.load("rp2040"))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_an_unknown_compiler_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no compiler is called 'clang'; zig and gcc are known"):
        build(sources(tmp_path), BOARD, "clang")  # type: ignore[arg-type]


def test_a_core_that_nothing_is_built_for_is_refused(tmp_path: Path) -> None:
    board = profiles.load("esp32s3")
    with pytest.raises(InputError, match="no firmware can be built here for esp32s3"):
        build(sources(tmp_path, board=board), board)


def test_a_missing_compiler_says_how_to_install_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sources(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(
        ToolMissingError, match=r"pip install 'spikenas-deploy\[mcu\]'.*apt install gcc-arm-none-eabi"
    ):
        build(folder, BOARD)
    with pytest.raises(ToolMissingError, match="the gcc compiler for Arm is not installed"):
        build(folder, BOARD, "gcc")
    with pytest.raises(ToolMissingError, match="no C compiler for this machine"):
        build_host(folder)
    assert compilers.available() == []


def test_zig_builds_where_there_is_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_package: Callable[[str], None]
) -> None:
    require_package("ziglang")
    for name in ("HOME", "XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert build(sources(tmp_path), BOARD, "zig").elf.is_file()


def test_a_linker_that_drops_what_is_unused_keeps_the_network_s_hash(
    tmp_path: Path, compiler: Compiler
) -> None:
    # As within somebody else's firmware, whose linker script keeps nothing of ours by name.
    export(PLAIN, BOARD, tmp_path)
    script = tmp_path / "c" / "link.ld"
    kept = "KEEP(*(.rodata.net_info))"
    assert kept in script.read_text()
    script.write_text(script.read_text().replace(kept, ""))
    image = read_elf(build(tmp_path / "c", BOARD, compiler).elf)
    info = image.symbol("net_info")
    assert bytes.fromhex(PLAIN.sha256()) in image.read(info.address, info.size_bytes)
