"""A stranger's firmware with one of our networks in it, built by a compiler and a linker script that are not ours."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from exporters.c import export
from exporters.c.export import BARE_METAL
from tests.support.graphs import random_graph
from toolchain.cost.layout import Layout, layout
from toolchain.profiles import load

HERE = Path(__file__).parent
BOARD = load("stm32f405")
GRAPH = random_graph(3)


def plan() -> Layout:
    """What the network in it takes, as planned."""
    return layout(GRAPH, BOARD)


@cache
def build(*flags: str) -> Path:
    """Compile and link it with ``arm-none-eabi-gcc`` and return the ELF; ``flags`` are added (``-DGROWN=5000``)."""
    folder = Path(mkdtemp(prefix="spikenas-foreign-"))
    written = export(GRAPH, BOARD, folder)
    sources = [
        path
        for path in written
        if path.parent.name == "c" and path.suffix == ".c" and path.name not in BARE_METAL
    ]
    elf = folder / "cf2.elf"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-g", "-ffunction-sections"]
    command += [
        "-fdata-sections",
        "-ffreestanding",
        "-nostdlib",
        # There is no C library here whose memset could stand for a loop.
        "-fno-tree-loop-distribute-patterns",
        "-Wl,--gc-sections",
        "-T",
        str(HERE / "user.ld"),
    ]
    command += [str(HERE / "main.c"), *map(str, sources), *flags, "-o", str(elf), "-lgcc"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return elf


def binutil(tool: str, *arguments: object) -> str:
    """What a tool of the compiler's says: an opinion that is not ours."""
    command = [f"arm-none-eabi-{tool}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
