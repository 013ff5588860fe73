"""A case in a machine's memory: what lies where, what the kernel may write, and what it must have written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.c.arrays import padded, pixels_last
from exporters.c.constants import Structs, constants
from tests.exporters.c.kernels.cases import Case
from tests.exporters.c.kernels.structs import Header
from toolchain.cost import arena
from toolchain.cost.packing import BLOCK
from toolchain.graph.graph import sources
from toolchain.graph.nodes import Head

GAP_BYTES = 16
"""Noise between what a kernel may read, and around all of it."""

Extent = tuple[int, int]
"""Address and size in bytes."""


@dataclass(frozen=True)
class Placed:
    """The call ``kernel(*arguments)`` on a machine whose memory holds ``content``, by address.

    The call must leave ``expected`` at ``address``, but for the bytes that are ``free``: scratch, which may hold
    anything. ``readable`` is what belongs to the case; all else is noise. ``arena``: where the arena begins.
    """

    kernel: str
    arguments: tuple[int, ...]
    content: dict[int, bytes]
    address: int
    expected: NDArray[np.uint8]
    free: NDArray[np.bool_]
    readable: tuple[Extent, ...]
    arena: int

    def differing(self, found: bytes) -> list[int]:
        """Addresses of the bytes that are not as expected."""
        wrong = (np.frombuffer(found, np.uint8) != self.expected) & ~self.free
        return [self.address + int(offset) for offset in np.flatnonzero(wrong)]


@lru_cache(1024)
def place(case: Case, header: Header, read_only: int, writable: int) -> Placed:
    """Lay ``case`` out from the addresses ``read_only`` (constants and pixels) and ``writable`` (arena, scores) on."""
    rng = np.random.default_rng(case.seed)
    # Nothing may count on more than the alignment that is asked for.
    step = header.pointer_bytes
    constant_bytes = _Block(rng, read_only + GAP_BYTES + step * (case.seed % 2), step)
    buffers = {buffer.name: buffer for buffer in arena.buffers(case.graph, case.schedule)}
    arena_address = writable + GAP_BYTES + step * (case.seed // 2 % 2)
    # The descriptors of a stream are those of one time step.
    described = case.graph if case.schedule == "layers" else replace(case.graph, time_steps=1)
    for symbol in constants(described, buffers):
        if symbol.symbol.startswith(f"{case.node}_"):
            if isinstance(symbol, Structs):
                content = header.content(_shared(symbol, case.share), constant_bytes.addresses.get)
            else:
                content = symbol.array.tobytes()
            constant_bytes.add(symbol.symbol, content)
    constant_bytes.add("image", pixels_last(case.frame).tobytes())
    before, after, free, readable = _memory(case, rng, list(buffers.values()))
    scores_address = arena_address + len(before) - GAP_BYTES - case.graph.head.classes * 4
    places = {
        "node": constant_bytes.addresses[f"{case.node}_node"],
        "image": constant_bytes.addresses["image"],
        "frames": constant_bytes.addresses["image"],
        "frame": constant_bytes.addresses["image"],
        "arena": arena_address,
        "scores": scores_address,
    }
    start = arena_address - GAP_BYTES
    guard = rng.integers(0, 256, GAP_BYTES).astype(np.uint8)
    return Placed(
        case.kernel,
        tuple(places[name] for name in header.parameters[case.kernel]),
        {
            constant_bytes.start: bytes(constant_bytes.content),
            start: guard.tobytes() + before.tobytes(),
        },
        start,
        np.concatenate([guard, after]),
        np.concatenate([np.zeros(GAP_BYTES, np.bool_), free]),
        (*constant_bytes.extents, *((arena_address + offset, size) for offset, size in readable)),
        arena_address,
    )


def packed_planes(spikes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Spikes [T, C, H, W] as the bytes of uint16 [H][T][W][block], as snn.h says."""
    time_steps, channels, height, width = spikes.shape
    filled = np.pad(spikes, [(0, 0), (0, -channels % BLOCK), (0, 0), (0, 0)])
    bits = filled.reshape(time_steps, -1, BLOCK, height, width).transpose(3, 0, 4, 1, 2)
    return np.packbits(bits, axis=-1, bitorder="little").reshape(-1)


def kept_potentials(potentials: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Potentials [C, H, W] as the bytes of int16 [H][W][block][pair][half]: a pair has channels k and k + 8."""
    by_position = padded(potentials.astype("<i2"), 0).transpose(1, 2, 0)
    return np.ascontiguousarray(by_position).view(np.uint8).reshape(-1)


class _Block:
    """Constants behind one another, with noise between them."""

    def __init__(self, rng: np.random.Generator, start: int, alignment: int) -> None:
        self._rng, self.start, self._alignment = rng, start, alignment
        self.content = bytearray()
        self.addresses = _Addresses()
        self.extents: list[Extent] = []

    def add(self, symbol: str, content: bytes) -> None:
        address = self.start + len(self.content)
        self.addresses[symbol] = address
        self.extents.append((address, len(content)))
        noise = GAP_BYTES + -len(content) % self._alignment
        self.content += content + self._rng.integers(0, 256, noise).astype(np.uint8).tobytes()


class _Addresses(dict[str, int]):
    def get(self, symbol: str, default: Any = None) -> Any:
        """Of the network's description no kernel knows anything."""
        return 0 if symbol == "info" else self[symbol]


def _shared(symbol: Structs, share: int) -> Structs:
    """``symbol`` with ``share`` in place of what the exporter chose."""

    def changed(item: Any) -> Any:
        if isinstance(item, dict):
            return {name: share if name == "share" else changed(value) for name, value in item.items()}
        return item

    return Structs(
        symbol.symbol, symbol.c_type, tuple(changed(item) for item in symbol.items), symbol.several
    )


def _memory(
    case: Case, rng: np.random.Generator, buffers: list[arena.Buffer]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_], list[Extent]]:
    """The arena and the scores, with noise behind each: before the call, after it, what is free, what is the case's."""
    node = case.graph.node(case.node)
    step = case.graph.nodes.index(node)
    size = arena.arena_bytes(buffers)
    scores = -(-(size + GAP_BYTES) // 8) * 8
    # Scores begin at a multiple of 4, not of 8, wherever the arena begins.
    total = scores + case.graph.head.classes * 4 + GAP_BYTES
    before = rng.integers(0, 256, total).astype(np.uint8)
    free = np.zeros(total, np.bool_)
    readable = []
    after = before.copy()
    steps = slice(None) if case.step is None else slice(case.step, case.step + 1)
    for buffer in buffers:
        if not buffer.first <= step <= buffer.last:
            continue
        extent = slice(buffer.offset_bytes, buffer.offset_bytes + buffer.size_bytes)
        owner = buffer.name.rpartition("_")[0]
        if buffer.name == f"{case.node}_spikes":
            after[extent] = packed_planes(case.expected[steps])
        elif case.step is not None and buffer.name in (f"{case.node}_potentials", f"{case.node}_counts"):
            for memory, content in zip((before, after), _kept(case, case.step), strict=True):
                memory[extent] = np.resize(content, buffer.size_bytes)
        elif owner == case.node or buffer.name == "scratch":
            free[extent] = True
        elif buffer.name in {f"{name}_spikes" for name in sources(node)}:
            before[extent] = after[extent] = packed_planes(case.spikes[owner][steps])
        else:
            continue
        readable.append((buffer.offset_bytes, buffer.size_bytes))
    if isinstance(node, Head) and case.kernel != "snn_count_step":
        extent = slice(scores, scores + case.graph.head.classes * 4)
        after[extent] = case.expected.astype("<i4").view(np.uint8)
        readable.append((scores, case.graph.head.classes * 4))
    return before, after, free, readable


def _kept(case: Case, step: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What the node of a stream keeps before and after a time step."""
    if case.kernel == "snn_count_step":
        counts = [np.append(case.counts(steps), 0) for steps in (step, step + 1)]
        before, after = (count.astype("<u2").view(np.uint8) for count in counts)
        return before, after
    if case.node == case.graph.head.name:
        content = np.append(case.counts(step + 1), 0).astype("<u2").view(np.uint8)
        return content, content
    potentials = [np.zeros_like(case.history[0][1]), *(potential for _, potential in case.history)]
    return kept_potentials(potentials[step]), kept_potentials(potentials[step + 1])
