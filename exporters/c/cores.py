"""Compiler flags: one table of the cores that firmware is built for.

Nothing uses floating point, and no unit of a core (FPU, MVE) has to be switched on by the start-up code: an
M55's vector instructions would fault until its coprocessor is enabled. An M33's DSP instructions are an
option that every M33 here has; zig wants it named.
"""

from __future__ import annotations

from toolchain.cost.code_size import Compiler

CORES: dict[str, dict[Compiler, str]] = {
    "cortex-m0plus": {"zig": "cortex_m0plus", "gcc": "cortex-m0plus"},
    "cortex-m3": {"zig": "cortex_m3", "gcc": "cortex-m3"},
    "cortex-m4": {"zig": "cortex_m4", "gcc": "cortex-m4+nofp"},
    "cortex-m7": {"zig": "cortex_m7", "gcc": "cortex-m7+nofp"},
    "cortex-m33": {"zig": "cortex_m33+dsp", "gcc": "cortex-m33+nofp"},
    "cortex-m55": {"zig": "cortex_m55-mve-mve_fp", "gcc": "cortex-m55+nomve+nofp"},
}
"""``-mcpu`` of each core of a profile, for each compiler."""

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
    # A loop that copies or clears stays a loop: no library function is called that the source does not name.
    "-fno-builtin",
)

ARM: dict[Compiler, tuple[str, ...]] = {
    "zig": (
        "-target",
        "thumb-freestanding-eabi",
        "-mfloat-abi=soft",
        "-fno-pic",
        "-fno-sanitize=undefined",
        # Loops that are worth it are unrolled in the sources; gcc unrolls no others at -O2 either.
        "-fno-unroll-loops",
    ),
    "gcc": ("-mthumb", "-mfloat-abi=soft", "-fno-tree-loop-distribute-patterns"),
}

LINK = (
    "-nostdlib",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    # Segments are not spread over pages: a microcontroller has none.
    "-Wl,-z,max-page-size=4",
    "-Wl,--entry=Reset_Handler",
)

HOST = ("-std=c99", "-O2", "-g0", "-shared", "-fPIC")
