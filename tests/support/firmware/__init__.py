"""A tiny firmware that honours the mailbox and can be told to misbehave: what verification must catch.

Its "network" takes eight pixels and gives two scores; the first pixel (row, column, channel order) picks what
goes wrong. It is built once a test session, from ``fixture.c`` and ``fixture.ld``.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Emulation, Profile, Region

HERE = Path(__file__).parent

READ_NOWHERE, WRITE_NOWHERE, WRITE_FLASH, RUN_NOWHERE, UNDEFINED = 201, 202, 203, 204, 205
DEEP_STACK, HANG, WRITE_BESIDE_ARENA, STATEFUL, WORK, SUPERVISOR_CALL = 206, 207, 208, 209, 210, 211
FRINGE = 212
"""Values of the first pixel, as in ``fixture.c``."""

STACK_BYTES, ARENA_BYTES = 1024, 64

GRAPH = Graph(
    (
        Input("pixels", Shape(2, 2, 2)),
        Lif("stem", Shape(1, 2, 2), (PixelConv("pixels", 1, 1),)),
        Head("head", "stem", 2),
    ),
    1,
    Preprocessing(2, 2, "as_is"),
    ("a", "b"),
)
"""Shapes only: eight pixels in, two scores out."""


def profile(**changes: Any) -> Profile:
    """The board that the fixture is linked for; its SRAM begins 256 bytes into a page."""
    board: dict[str, Any] = {
        "name": "fixture_board",
        "title": "board of the test firmware",
        "role": "standalone",
        "source": "made up",
        "clock_hz": 1_000_000,
        "core": "cortex-m4",
        "stack_bytes": STACK_BYTES,
        "regions": (
            region("flash", "flash", 0x0800_0000, 65_536, ("code", "weights")),
            region("sram", "sram", 0x2000_0000, 16_384, ("buffers", "stack"), reserved_bytes=256),
        ),
        "emulation": Emulation(
            unicorn_cpu="CORTEX_M4",
            qemu_machine="netduinoplus2",
            qemu_flash_origin=0x0800_0000,
            qemu_flash_bytes=1_048_576,
            qemu_ram_origin=0x2000_0000,
            qemu_ram_bytes=131_072,
            source="made up",
        ),
        "default_formats": ("c",),
    }
    return Profile(**(board | changes))


def region(name: str, kind: str, origin: int, size_bytes: int, holds: tuple[str, ...], **more: Any) -> Region:
    """A region with a made-up source."""
    return Region(
        name=name, kind=kind, origin=origin, size_bytes=size_bytes, holds=holds, source="made up", **more
    )


def image(first: int, *rest: int) -> np.ndarray:
    """Pixels uint8 [2, 2, 2] whose bytes in row, column, channel order are ``first, *rest`` and zeros."""
    pixels = np.zeros(8, np.uint8)
    pixels[: 1 + len(rest)] = [first, *rest]
    return pixels.reshape(2, 2, 2).transpose(2, 0, 1)


def expected(pixels: np.ndarray) -> list[int]:
    """What the fixture answers: sum of (i + 1) * pixel i in row, column, channel order, and its negative."""
    total = int(np.dot(pixels.transpose(1, 2, 0).reshape(-1).astype(int), np.arange(1, 9)))
    return [total, -total]


@cache
def _compiler() -> list[str]:
    return [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "thumb-freestanding-eabi",
        "-mcpu=cortex_m4",
        "-g",
    ]


def build(folder: Path, *flags: str) -> Path:
    """Compile and link the fixture into ``folder`` and return the ELF; ``flags`` are added (``-DKNOWN=1``)."""
    elf = folder / "firmware.elf"
    options = [
        "-Os",
        "-ffreestanding",
        "-fno-builtin",
        "-nostdlib",
        "-fno-unwind-tables",
        "-Wl,-z,max-page-size=4",
    ]
    sources = ["-T", str(HERE / "fixture.ld"), str(HERE / "fixture.c"), "-o", str(elf)]
    done = subprocess.run(
        [*_compiler(), *options, *flags, *sources], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return elf
