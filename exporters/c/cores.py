"""Compiler flags: one table of the cores that firmware is built for.

Nothing uses floating point, and no core's optional units (FPU, DSP, MVE) have to be switched on. An M33's
DSP extension is named for zig, which does not assume it; an M55's MVE is switched off for both, because
its registers would fault until the start-up code enables the coprocessor.
"""

from __future__ import annotations

from typing import NamedTuple

from toolchain.cost.code_size import Compiler



class CoreFlags(NamedTuple):
    """The value of ``-mcpu`` of one core for each compiler."""

    zig: str
    gcc: str


CORES: dict[str, CoreFlags] = {
    "cortex-m0plus": CoreFlags("cortex_m0plus", "cortex-m0plus"),
    "cortex-m3": CoreFlags("cortex_m3", "cortex-m3"),
    "cortex-m4": CoreFlags("cortex_m4", "cortex-m4+nofp"),
    "cortex-m7": CoreFlags("cortex_m7", "cortex-m7+nofp"),
    "cortex-m33": CoreFlags("cortex_m33+dsp", "cortex-m33+nofp"),
    "cortex-m55": CoreFlags("cortex_m55-mve-mve_fp", "cortex-m55+nomve+nofp"),
}

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")

CODE = (
    "-std=c99",
    "-O2",
    "-g0",
    "-ffreestanding",
    "-ffunction-sections",
    "-fdata-sections",
    # Functions begin at multiples of 4, so that the sizes of those that are linked simply add up.
    "-falign-functions=4",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-common",
    "-fno-stack-protector",
    # Loops stay loops: a kernel calls no library function that its source does not name.
    "-fno-builtin",
)

ARM: dict[Compiler, tuple[str, ...]] = {
    "zig": ("-target", "thumb-freestanding-eabi", "-mfloat-abi=soft", "-fno-pic", "-fno-sanitize=undefined"),
    "gcc": ("-mthumb", "-mfloat-abi=soft", "-fno-tree-loop-distribute-patterns"),
}

LINK = (
    "-nostdlib",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    "-Wl,-z,max-page-size=4",
    "-Wl,--entry=Reset_Handler",
)
