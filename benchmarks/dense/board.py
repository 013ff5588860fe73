"""Firmware on an emulated core: what it computes, and what each of its layers takes for it."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Core, Emulation, Profile, Region
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.instruction_count import thumb_instructions
from toolchain.verification.mailbox import Mailbox, infer_all, stack_high_water

UNICORN_CPUS: dict[Core, str] = {
    "cortex-m4": "CORTEX_M4",
    "cortex-m7": "CORTEX_M7",
    "cortex-m33": "CORTEX_M33",
    # There is no M0+, whose instructions are those of the M0.
    "cortex-m0plus": "CORTEX_M0",
    "cortex-m3": "CORTEX_M3",
}
"""Cores that are measured, and what unicorn calls them."""

LINE_BYTES, LINES, WAIT_STATES = 16, 8, 5
"""Flash as an STM32F405 at 168 MHz has it: lines of 128 bits, a data cache of eight, five wait states (RM0090, 3.4.1
and table 10). Instructions are taken to come without delay, as from that chip's instruction cache in a loop."""

_CALL = re.compile(r"\w+\(&net_(\w+)_node\b")


def board(core: Core) -> Profile:
    """A board with ``core``, 2 MiB of flash and 1 MiB of SRAM: room for both rivals, so that neither is cut short."""
    assert core in get_args(Core)

    def region(kind: str, origin: int, size_bytes: int, *holds: str) -> Region:
        found = {"name": kind, "kind": kind, "origin": origin, "size_bytes": size_bytes, "holds": holds}
        return Region.model_validate(found | {"source": "made up"})

    return Profile(
        name=f"{core}_bench",
        title=f"made-up board with a {core}",
        role="standalone",
        source="made up",
        clock_hz=168_000_000,
        core=core,
        stack_bytes=2048,
        regions=(
            region("flash", 0x0800_0000, 2 << 20, "code", "weights"),
            region("sram", 0x2000_0000, 1 << 20, "buffers", "stack"),
        ),
        emulation=Emulation(unicorn_cpu=UNICORN_CPUS[core], source="made up"),
        default_formats=("c",),
    )


@dataclass(frozen=True)
class Took:
    """Averages an image: ``instructions`` and ``flash_lines`` of each layer by name, and the image's bytes.

    ``flash_lines`` are lines of constants that had to be fetched from flash. ``sram_bytes`` are arena, mailbox and the
    stack that was used; ``flash_bytes`` those of the whole image.
    """

    instructions: dict[str, float]
    flash_lines: dict[str, float]
    flash_bytes: int
    code_bytes: int
    sram_bytes: int
    arena_bytes: int
    stack_bytes: int

    @property
    def total(self) -> float:
        """Instructions for an image."""
        return sum(self.instructions.values())

    @property
    def weighted(self) -> float:
        """Instructions, and the wait states of the constants that they fetch from flash."""
        return self.total + WAIT_STATES * sum(self.flash_lines.values())


def measure(
    elf: Path,
    source: Path,
    profile: Profile,
    graph: Graph,
    images: NDArray[np.uint8],
    expected: NDArray[np.int32],
) -> tuple[Took, int]:
    """Run ``images`` uint8 [n, C, H, W] in ``elf``; also returns how many scores differ from ``expected``.

    ``source`` is the C file with ``net_infer``, whose calls give the layers their names. Raises ``RuntimeError`` if the
    firmware gives other scores while it is watched.
    """
    image = read_elf(elf)
    mailbox, machine = Mailbox.of(image, graph), Emulator(image, profile)
    mailbox.boot(machine)
    calls = _Calls(image, source)
    with _instructions(machine, calls) as counted:
        found = infer_all(machine, mailbox, images)
    with _lines(machine, calls, image) as fetched:
        again = infer_all(machine, mailbox, images[:1])
    if not np.array_equal(found[:1], again):
        raise RuntimeError(
            f"{elf} gives other scores while its reads are counted, so the count is not to be trusted"
        )
    sizes = {section.name: section.size_bytes for section in image.sections}
    kept = sum(len(segment.data) for segment in image.segments)
    arena, stack = image.symbol("net_arena").size_bytes, stack_high_water(machine, image)
    took = Took(
        instructions={name: counted.by_layer[name] / len(images) for name in calls.names},
        flash_lines={name: float(fetched.by_layer[name]) for name in calls.names},
        flash_bytes=kept,
        code_bytes=kept - sizes[".constants"],
        sram_bytes=arena + mailbox.size_bytes + stack,
        arena_bytes=arena,
        stack_bytes=stack,
    )
    return took, int((found != expected).sum())


class _Calls:
    """Follows which of the calls in ``net_infer`` is running."""

    def __init__(self, image: Image, source: Path) -> None:
        symbol = image.symbol("net_infer")
        self._first, self._end = symbol.address, symbol.address + symbol.size_bytes
        body = source.read_text(encoding="utf-8").partition(
            "net_infer(const uint8_t *image, int32_t *scores)\n{"
        )[2]
        self.names = _CALL.findall(body.partition("\n}")[0])
        self.current = -1
        self._within = False

    def enter(self, address: int) -> str | None:
        """The layer that the block at ``address`` belongs to, None if no call is running."""
        within = self._first <= address < self._end
        if address == self._first:
            self.current = 0
        elif within and not self._within:
            # Behind the last call comes the function's end.
            self.current += 1
        self._within = within
        return self.names[self.current] if 0 <= self.current < len(self.names) else None


@dataclass
class _Count:
    by_layer: Counter[str] = field(default_factory=Counter)


@contextmanager
def _instructions(machine: Emulator, calls: _Calls) -> Iterator[_Count]:
    """Count what is executed in each layer."""
    blocks: Counter[tuple[str | None, int, int]] = Counter()

    def on_block(_core: Any, address: int, size: int, _: Any) -> None:
        blocks[calls.enter(address), address, size] += 1

    count = _Count()
    with _hooked(machine, machine.unicorn.UC_HOOK_BLOCK, on_block):
        yield count
    lengths = {(a, s): thumb_instructions(machine.read(a, s)) for _, a, s in blocks}
    for (name, address, size), times in blocks.items():
        # What surrounds the layers, a few instructions an image, is counted with the first.
        count.by_layer[name or calls.names[0]] += times * lengths[address, size]


@contextmanager
def _lines(machine: Emulator, calls: _Calls, image: Image) -> Iterator[_Count]:
    """Count the lines of constants that each layer fetches."""
    constants = next(section for section in image.sections if section.name == ".constants")
    cache: OrderedDict[int, None] = OrderedDict()
    count = _Count()
    layer = calls.names[0]

    def on_block(_core: Any, address: int, size: int, _: Any) -> None:
        nonlocal layer
        layer = calls.enter(address) or calls.names[0]

    def on_read(_core: Any, _access: int, address: int, size: int, _value: int, _: Any) -> None:
        line = address // LINE_BYTES
        if line in cache:
            cache.move_to_end(line)
            return
        count.by_layer[layer] += 1
        cache[line] = None
        if len(cache) > LINES:
            cache.popitem(last=False)

    span = constants.address, constants.address + constants.size_bytes - 1
    with _hooked(machine, machine.unicorn.UC_HOOK_BLOCK, on_block):
        with _hooked(machine, machine.unicorn.UC_HOOK_MEM_READ, on_read, *span):
            yield count


@contextmanager
def _hooked(machine: Emulator, kind: int, callback: Any, first: int = 1, last: int = 0) -> Iterator[None]:
    hook = machine.core.hook_add(kind, callback, None, first, last)
    # What was translated before has no call in it, and what is translated now must not keep one.
    machine.core.ctl_flush_tb()
    try:
        yield
    finally:
        machine.core.hook_del(hook)
        machine.core.ctl_flush_tb()
