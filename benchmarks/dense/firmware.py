"""A ``DenseNetwork`` as bare-metal firmware: C sources, built with the compiler and flags of the spiking firmware."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.dense import network as dense
from benchmarks.dense.network import Convolution, DenseNetwork, Layer, Linear
from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, LINK
from toolchain.cost.arena import Buffer, arena_bytes, place
from toolchain.cost.code_size import Compiler
from toolchain.files import write_atomic
from toolchain.graph.nodes import Shape
from toolchain.profiles.schema import Core, Profile

RUNTIME = Path(__file__).parent / "runtime"

TAPS = 4
"""Taps that the kernel works on at once, ``DENSE_TAPS`` in ``runtime/dense.h``."""


@dataclass(frozen=True)
class Order:
    """How a core's kernel reads weights: ``channels`` at a time, ``taps`` of one and then of the next, plus ``offset``.

    Channels are padded with zeros to a multiple of ``channels``.
    """

    channels: int
    taps: int
    offset: int = 0


_DSP = Order(2, TAPS)

ORDERS: dict[Core, Order] = {
    "cortex-m4": _DSP,
    "cortex-m7": _DSP,
    "cortex-m33": _DSP,
    "cortex-m3": Order(4, 1),
    "cortex-m0plus": Order(2, 1, 128),
}
"""``runtime/dense_dsp.S`` and ``runtime/dense_plain.S``."""


@dataclass(frozen=True)
class Rows:
    """How the taps of a window are grouped: ``padded`` fills up each row of it, else the whole is filled up."""

    padded: bool
    row_groups: int
    groups: int

    @classmethod
    def of(cls, kernel: int, channels: int) -> Rows:
        """The cheapest grouping; rows are filled up where that costs nothing, because they are then read in place."""
        row, whole = -(-kernel * channels // TAPS), -(-kernel * kernel * channels // TAPS)
        return cls(row * kernel == whole, row, whole)


def write(network: DenseNetwork, profile: Profile, folder: Path, known_image: NDArray[np.uint8]) -> None:
    """Write the sources of ``network`` and what links them for ``profile`` into ``folder``.

    ``known_image`` uint8 [C, H, W] is run before the first image, and its scores are compared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(RUNTIME.iterdir()):
        write_atomic(folder / path.name, path.read_text(encoding="utf-8"))
    placed = {buffer.name: buffer for buffer in place(_buffers(network))}
    known = dense.scores(network, known_image[np.newaxis])[0]
    assert profile.core is not None
    order = ORDERS[profile.core]
    text = "\n".join(
        (
            *_constants(network, placed, order),
            *_known(known_image, known),
            _infer(network, arena_bytes(list(placed.values()))),
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


def packed_weights(layer: Layer, shapes: Mapping[str, Shape], order: Order) -> NDArray[np.int16]:
    """Weights, int8 or uint8 values, in the order in which a core's kernel reads them."""
    columns = [_taps(edge, shapes[edge.source].channels) for edge in layer.convolutions]
    taps = np.concatenate(columns, axis=1) if columns else np.zeros((layer.shape.channels, TAPS), np.int8)
    padded = np.pad(taps, ((0, -len(taps) % order.channels), (0, 0))).astype(np.int16) + order.offset
    groups = padded.reshape(-1, order.channels, padded.shape[1] // order.taps, order.taps)
    return np.ascontiguousarray(groups.transpose(0, 2, 1, 3)).ravel()


def _taps(edge: Convolution, channels: int) -> NDArray[np.int8]:
    """Weights int8 [out, taps] in the order of a column."""
    out, kernel = len(edge.weight), edge.kernel
    rows = Rows.of(kernel, channels)
    taps = edge.weight.transpose(0, 2, 3, 1).reshape(out, kernel, -1)
    if rows.padded:
        return np.pad(taps, ((0, 0), (0, 0), (0, rows.row_groups * TAPS - taps.shape[2]))).reshape(out, -1)
    taps = taps.reshape(out, -1)
    return np.pad(taps, ((0, 0), (0, rows.groups * TAPS - taps.shape[1])))


def _groups(network: DenseNetwork, layer: Layer) -> int:
    return sum(_rows(network, edge).groups for edge in layer.convolutions) or 1


def _rows(network: DenseNetwork, edge: Convolution) -> Rows:
    return Rows.of(edge.kernel, network.shape(edge.source).channels)


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
            wanted = {
                "column": _groups(network, layer) * 4 * TAPS,
                "start": 8 * layer.shape.channels if layer.addends else 0,
                "gathered": 2
                * TAPS
                * max(
                    (_rows(network, edge).groups for edge in layer.convolutions if _gathers(network, edge)),
                    default=0,
                ),
                "spare": layer.shape.channels if layer.shape.height * layer.shape.width % 2 else 0,
            }
            found += [Buffer(f"{layer.name}_{name}", size, step, step) for name, size in wanted.items()]
    return found


def _gathers(network: DenseNetwork, edge: Convolution) -> bool:
    """Whether windows at the border are copied byte by byte."""
    return network.shape(edge.source).channels % TAPS != 0


def _constants(network: DenseNetwork, placed: Mapping[str, Buffer], order: Order) -> Iterator[str]:
    shapes = {network.input: network.pixels} | {layer.name: layer.shape for layer in network.layers}
    widest = max(network.shape(layer.name).channels for layer in network.layers)
    yield f"uint8_t DENSE_ALIGNED net_arena[{arena_bytes(list(placed.values()))}];"
    yield _array("uint8_t", "zeros", np.zeros(widest, np.uint8))
    for layer in network.layers:
        if isinstance(layer, Layer):
            yield from _layer(network, layer, placed, packed_weights(layer, shapes, order))
        else:
            source = shapes[layer.source]
            fields = (
                placed[layer.source].offset_bytes,
                placed[layer.name].offset_bytes,
                layer.shape.height,
                layer.shape.width,
                layer.shape.channels,
                source.width,
            )
            yield _struct("dense_max_pool", layer.name, fields)
    yield from _head(network, placed)


def _layer(
    network: DenseNetwork, layer: Layer, placed: Mapping[str, Buffer], weights: NDArray[np.int16]
) -> Iterator[str]:
    name, shape = layer.name, layer.shape
    if shape.channels % 2:
        raise ValueError(f"{name} has {shape.channels} channels; the kernel computes two at a time")
    yield _array("int8_t" if weights.min() < 0 else "uint8_t", f"{name}_weights", weights)
    yield _array("int32_t", f"{name}_bias", layer.bias)
    yield _array("int32_t", f"{name}_multiplier", layer.multiplier)
    edges = []
    for edge in layer.convolutions:
        source, rows = network.shape(edge.source), _rows(network, edge)
        offset = "DENSE_IMAGE" if edge.source == network.input else placed[edge.source].offset_bytes
        edges.append(
            (offset, source.height, source.width, source.channels, edge.kernel, edge.stride)
            + (int(rows.padded), rows.row_groups, rows.groups)
        )
    yield _structs("dense_edge", f"{name}_edges", edges)
    addends = []
    for index, addend in enumerate(layer.addends):
        yield _array("int32_t", f"{name}_factor{index}", addend.factor)
        addends.append((placed[addend.source].offset_bytes, addend.window, f"net_{name}_factor{index}"))
    yield _structs("dense_addend", f"{name}_addends", addends)
    pointers = (
        f"net_{name}_edges" if edges else 0,
        f"net_{name}_addends" if addends else 0,
        f"(const void *)net_{name}_weights",
        f"net_{name}_bias",
        f"net_{name}_multiplier",
        "net_zeros",
    )
    offsets = (
        placed[part].offset_bytes
        for part in (name, *(f"{name}_{x}" for x in ("column", "start", "gathered", "spare")))
    )
    extents = (shape.height, shape.width, shape.channels, _groups(network, layer))
    yield _struct("dense_layer", name, (*pointers, len(edges), len(addends), *offsets, *extents))


def _head(network: DenseNetwork, placed: Mapping[str, Buffer]) -> Iterator[str]:
    head, source = network.head, network.shape(network.head.source)
    weight = head.weight
    if head.features == "flatten":
        by_position = weight.reshape(len(weight), *source).transpose(0, 2, 3, 1)
        weight = np.ascontiguousarray(by_position.reshape(len(weight), -1))
    yield _array("int8_t", "head_weights", weight.ravel())
    yield _array("int32_t", "head_bias", head.bias)
    positions = source.height * source.width if head.features == "count" else 1
    offsets = placed[head.source].offset_bytes, placed[f"{head.name}_sums"].offset_bytes
    fields = ("net_head_weights", "net_head_bias", *offsets, weight.shape[1], positions, len(weight))
    yield _struct("dense_head", head.name, fields)


def _known(image: NDArray[np.uint8], scores: NDArray[np.int32]) -> Iterator[str]:
    yield _array("uint8_t", "known_image", np.moveaxis(image, -3, -1).ravel())
    yield _array("int32_t", "known_scores", scores)


def _infer(network: DenseNetwork, size_bytes: int) -> str:
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


def _array(kind: str, name: str, values: NDArray) -> str:
    numbers = ", ".join(map(str, values.ravel().tolist()))
    # Rows begin where a line of flash does.
    return f"const {kind} __attribute__((aligned(16))) net_{name}[{values.size}] = {{{numbers}}};"


def _struct(kind: str, name: str, fields: tuple[object, ...]) -> str:
    return f"static const {kind} net_{name}_node = {{{', '.join(map(str, fields))}}};"


def _structs(kind: str, name: str, items: list[tuple[object, ...]]) -> str:
    if not items:
        return ""
    text = ", ".join("{" + ", ".join(map(str, fields)) + "}" for fields in items)
    return f"static const {kind} net_{name}[{len(items)}] = {{{text}}};"
