"""A ``DenseNetwork`` as bare-metal firmware: C sources, built with the compiler and flags of the spiking firmware."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import exporters.c
from benchmarks.dense import network as dense
from benchmarks.dense.constants import constants, known_answer
from benchmarks.dense.network import DenseNetwork, Layer, Linear
from benchmarks.dense.packing import ORDERS, TAPS, gathers, groups, rows
from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, LINK
from toolchain.cost.arena import Buffer, place
from toolchain.cost.code_size import Compiler
from toolchain.files import write_atomic
from toolchain.profiles.schema import Profile

RUNTIME = Path(__file__).parent / "runtime"
STARTUP = Path(exporters.c.__file__).parent / "runtime" / "startup.c"


def write(network: DenseNetwork, profile: Profile, folder: Path, known_image: NDArray[np.uint8]) -> None:
    """Write the sources of ``network`` and what links them for ``profile`` into ``folder``.

    ``known_image`` uint8 [C, H, W] is run before the first image, and its scores are compared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*sorted(RUNTIME.iterdir()), STARTUP):
        write_atomic(folder / path.name, path.read_text(encoding="utf-8"))
    placed = {buffer.name: buffer for buffer in place(_buffers(network))}
    known = dense.scores(network, known_image[np.newaxis])[0]
    assert profile.core is not None
    order = ORDERS[profile.core]
    text = "\n".join(
        (
            *constants(network, placed, order),
            *known_answer(known_image, known),
            _infer(network),
        )
    )
    write_atomic(folder / "net.c", '#include "net.h"\n\n' + text)
    write_atomic(folder / "net.h", _header(network))
    write_atomic(folder / "link.ld", _script(profile))


def build(folder: Path, profile: Profile, compiler: Compiler) -> Path:
    """Compile and link what ``write`` wrote; returns the ELF. Raises ``RuntimeError`` with the compiler's words."""
    _, command = compilers.arm_command(compiler)
    assert profile.core is not None
    flags = [*ARM[compiler], f"-mcpu={CORES[profile.core][compiler]}", *CODE, *LINK, "-T", "link.ld"]
    sources = sorted(path.name for path in folder.iterdir() if path.suffix in (".c", ".S"))
    found = compilers.run([*command, *flags, *sources, "-o", "firmware.elf"], folder)
    if found.returncode:
        raise RuntimeError(f"the dense network does not build: {found.stderr}")
    return folder / "firmware.elf"


def _buffers(network: DenseNetwork) -> list[Buffer]:
    """What lies in the arena and when: the maps, and what each kernel needs besides."""
    steps = [*network.layers, network.head]
    last = {source: step for step, layer in enumerate(steps) for source in layer.sources}
    found = []
    for step, layer in enumerate(steps):
        if isinstance(layer, Linear):
            size = 0 if layer.features == "flatten" else 4 * layer.weight.shape[1]
            found.append(Buffer(f"{layer.name}_sums", size, step, step))
            continue
        found.append(Buffer(layer.name, layer.shape.size, step, last[layer.name]))
        if isinstance(layer, Layer):
            gathered = [rows(network, edge).groups for edge in layer.convolutions if gathers(network, edge)]
            wanted = {
                "column": groups(network, layer) * 4 * TAPS,
                "start": 8 * layer.shape.channels if layer.addends else 0,
                "gathered": 2 * TAPS * max(gathered, default=0),
                "spare": layer.shape.channels if layer.shape.height * layer.shape.width % 2 else 0,
            }
            found += [Buffer(f"{layer.name}_{name}", size, step, step) for name, size in wanted.items()]
    return found


def _infer(network: DenseNetwork) -> str:
    calls = [
        f"    dense_convolve(&net_{layer.name}_node, image, net_arena);"
        if isinstance(layer, Layer)
        else f"    dense_pool(&net_{layer.name}_node, net_arena);"
        for layer in network.layers
    ]
    calls.append(f"    dense_linear(&net_{network.head.name}_node, net_arena, scores);")
    return "void net_infer(const uint8_t *image, int32_t *scores)\n{\n" + "\n".join(calls) + "\n}\n"


def _header(network: DenseNetwork) -> str:
    return f"""#ifndef NET_H
#define NET_H
#include "dense.h"

#define NET_IMAGE_BYTES {network.pixels.size}u
#define NET_CLASSES {len(network.head.bias)}u

extern const uint8_t net_known_image[NET_IMAGE_BYTES];
extern const int32_t net_known_scores[NET_CLASSES];
void net_infer(const uint8_t *image, int32_t *scores);
#endif
"""


def _script(profile: Profile) -> str:
    """A linker script: all that is kept in the first flash, all else in the first SRAM, the stack at its bottom."""
    flash, sram = (next(r for r in profile.regions if r.kind == kind) for kind in ("flash", "sram"))
    return f"""ENTRY(Reset_Handler)
MEMORY
{{
    flash : ORIGIN = 0x{flash.available_origin:08X}, LENGTH = {flash.available_bytes}
    sram : ORIGIN = 0x{sram.available_origin:08X}, LENGTH = {sram.available_bytes}
}}
PHDRS {{ code PT_LOAD FLAGS(5); constants PT_LOAD FLAGS(4); ram PT_LOAD FLAGS(6); }}
SECTIONS
{{
    .text : ALIGN(4) {{
        KEEP(*(.vectors)) *(.text .text.*) *(.rodata .rodata.cst* .rodata.str* .rodata..L*) . = ALIGN(4);
    }} > flash :code
    .constants : ALIGN(16) {{ *(.rodata.net_*) . = ALIGN(4); }} > flash :constants
    .stack (NOLOAD) : ALIGN(8) {{ _stack_limit = .; . = . + {profile.stack_bytes}; _stack_top = .; }} > sram :ram
    .mailbox (NOLOAD) : ALIGN(4) {{ KEEP(*(.bss.spikenas_mailbox)) }} > sram :ram
    .arena (NOLOAD) : ALIGN(4) {{ *(.bss.net_arena) }} > sram :ram
    .unplanned : {{ *(.data .data.* .bss .bss.* COMMON .rodata.*) }} > sram :ram
    ASSERT(SIZEOF(.unplanned) == 0, "there is data that nothing would copy or clear")
    /DISCARD/ : {{ *(.comment) *(.ARM.exidx*) *(.ARM.extab*) *(.eh_frame*) *(.note*) }}
}}
"""
