"""A random network becomes firmware for every board that is built for here, and the board's emulators run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from exporters.c.build import build
from exporters.c.cores import CORES
from exporters.c.placement import IMAGE_DEFINITION
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.cost.layout import layout
from toolchain.graph import reference
from toolchain.profiles.schema import Profile
from toolchain.verification import footprint_proof
from toolchain.verification.elf import read_elf
from toolchain.verification.qemu_machine import fits, machine_profile
from toolchain.verification.runtimes.qemu import QemuRuntime
from toolchain.verification.runtimes.unicorn import UnicornRuntime

BOARDS = {name: profile for name in profiles.available() if (profile := profiles.load(name)).core in CORES}
EMULATED = [name for name, board in BOARDS.items() if board.emulation and board.emulation.unicorn_cpu]
# Hosted boards have the core of the chip that they inherit: one compiler is enough for their memories.
BUILDS = [(name, "zig") for name in EMULATED] + [
    (name, "gcc") for name in EMULATED if BOARDS[name].role == "standalone"
]
MACHINES = {board.emulation.qemu_machine: name for name, board in BOARDS.items() if board.emulation}
GRAPH = random_graph(3)
IMAGES = random_images(GRAPH, 3)

Tools = Callable[[str], str]
Packages = Callable[[str], None]


def firmware(folder: Path, board: Profile, compiler: Compiler) -> Path:
    export(GRAPH, board, folder)
    return build(folder / "c", board, compiler).elf


@pytest.mark.parametrize(("name", "compiler"), BUILDS)
def test_a_board_s_core_and_memories_give_the_reference_s_scores_within_the_plan(
    tmp_path: Path, name: str, compiler: Compiler, require_tool: Tools, require_package: Packages
) -> None:
    require_package("unicorn")
    if compiler == "gcc":
        require_tool("arm-none-eabi-gcc")
    else:
        require_package("ziglang")
    board = BOARDS[name]
    elf = firmware(tmp_path, board, compiler)
    assert footprint_proof.findings(read_elf(elf), layout(GRAPH, board), board) == []
    runtime = UnicornRuntime(elf, board, GRAPH)
    assert np.array_equal(runtime.scores(IMAGES), reference.scores(GRAPH, IMAGES))
    assert runtime.stack_bytes() < board.stack_bytes


@pytest.mark.parametrize("name", MACHINES.values())
def test_the_nearest_machine_of_qemu_gives_the_reference_s_scores(
    tmp_path: Path, name: str, require_tool: Tools
) -> None:
    require_tool("qemu-system-arm")
    require_tool("arm-none-eabi-gcc")
    machine = machine_profile(BOARDS[name])
    elf = firmware(tmp_path, machine, "gcc")
    assert fits(read_elf(elf), machine)
    with QemuRuntime(elf, machine, GRAPH) as runtime:
        assert np.array_equal(runtime.scores(IMAGES), reference.scores(GRAPH, IMAGES))


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_an_image_for_the_rp2350_has_what_its_boot_rom_asks_for(
    tmp_path: Path, compiler: Compiler, require_tool: Tools, require_package: Packages
) -> None:
    if compiler == "gcc":
        require_tool("arm-none-eabi-gcc")
    else:
        require_package("ziglang")
    board = BOARDS["rp2350"]
    start = board.region("flash").origin
    image = read_elf(firmware(tmp_path, board, compiler))
    content = image.read(start, 128)
    # The vector table comes first, since the block names no other: a stack, and the reset handler in Thumb state.
    stack, reset = (int.from_bytes(content[at : at + 4], "little") for at in (0, 4))
    assert stack == image.symbol("_stack_top").address and stack <= 0x2008_2000
    assert reset == image.symbol("Reset_Handler").address | 1 and image.read(reset & ~1, 4)
    block = b"".join(int(word, 16).to_bytes(4, "little") for word in IMAGE_DEFINITION)
    assert content.index(block) == 64
