"""The mailbox: four words, an image and scores in SRAM, through which a machine is given work.

It is all that verification knows of the running firmware, so that the image that is verified is the image
that is flashed: no semihosting, no console, no peripheral. Its layout is that of ``exporters/c/runtime``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.packing import aligned
from toolchain.errors import InputError, OutputsDifferError
from toolchain.graph.graph import Graph
from toolchain.verification.elf import Image

MAGIC = 0x4E4B5053
"""The letters SPNK, read as a little-endian word: "the mailbox is set up"."""

STACK_PAINT = b"\xc5\xc5\xc5\xc5"
"""What the start-up code fills the stack with, so that its deepest use can be seen afterwards."""

_HEADER = struct.Struct("<IIII")
_WAITING, _DONE = 1, 2
_RUN = struct.pack("<I", 1)
_PASSED = 1


class Machine(Protocol):
    """An emulated board on which the firmware runs until it asks for work, that is until ``spikenas_idle``."""

    def read(self, address: int, size_bytes: int) -> bytes:
        """Memory content."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """Change memory."""
        ...

    def run_to_idle(self) -> None:
        """Run until the firmware next asks for work; raises ``InputError`` if it faults or never does."""
        ...


@dataclass(frozen=True)
class Mailbox:
    """Where the mailbox of ``image`` lies, and how large an image and how many scores it takes."""

    image: Image
    address: int
    pixels: int
    classes: int

    @classmethod
    def of(cls, image: Image, graph: Graph) -> Mailbox:
        """The mailbox of a firmware image of ``graph``; raises ``InputError`` if its size is another network's."""
        found = cls(image, image.symbol("spikenas_mailbox").address, graph.input.size, graph.head.classes)
        size = image.symbol("spikenas_mailbox").size_bytes
        if size != found.size_bytes:
            raise InputError(
                f"{image.path} has a mailbox of {size} bytes, but this network's has {found.size_bytes}; "
                "export the network again"
            )
        return found

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole mailbox."""
        return _HEADER.size + aligned(self.pixels) + 4 * self.classes

    def boot(self, machine: Machine) -> None:
        """Run from reset to the first request for work, and read the result of the self-test.

        Raises ``InputError`` if the mailbox is not set up then, ``OutputsDifferError`` if the self-test failed.
        """
        machine.run_to_idle()
        magic, _, status, self_test = _HEADER.unpack(machine.read(self.address, _HEADER.size))
        if magic != MAGIC or status != _WAITING:
            raise InputError(
                f"{self.image.path} asks for work without a mailbox (magic 0x{magic:08x}, status {status}); "
                "export the network again"
            )
        if self_test != _PASSED:
            raise OutputsDifferError(
                f"{self.image.path} fails its self-test: it does not give the known answer for the known image"
            )

    def infer(self, machine: Machine, image: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [classes] of one image uint8 [C, H, W] or [T, C, H, W], computed by ``machine``."""
        # A camera's order: frame, row, column, channel.
        machine.write(self.address + _HEADER.size, np.moveaxis(image, -3, -1).tobytes())
        machine.write(self.address + 4, _RUN)
        machine.run_to_idle()
        _, command, status, _ = _HEADER.unpack(machine.read(self.address, _HEADER.size))
        if command != 0 or status != _DONE:
            raise InputError(
                f"{self.image.path} asked for more work before it had done its work (command {command}, "
                f"status {status}); export the network again"
            )
        scores = machine.read(self.address + _HEADER.size + aligned(self.pixels), 4 * self.classes)
        return np.frombuffer(scores, "<i4").astype(np.int32)


def infer_all(machine: Machine, mailbox: Mailbox, images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Scores int32 [n, classes] of ``images`` uint8 [n, C, H, W], one after the other."""
    rows = [mailbox.infer(machine, image) for image in images]
    return np.stack(rows) if rows else np.zeros((0, mailbox.classes), np.int32)


def stack_high_water(machine: Machine, image: Image) -> int:
    """Bytes of the painted stack that were ever written, from its top to the lowest changed word.

    Raises ``InputError`` if even the last word was: the stack has overflowed, or was about to.
    """
    limit, top = image.symbol("_stack_limit").address, image.symbol("_stack_top").address
    stack = machine.read(limit, top - limit)
    untouched = 0
    while stack[untouched : untouched + 4] == STACK_PAINT:
        untouched += 4
    if untouched == 0:
        raise InputError(
            f"{image.path} used all {top - limit} bytes of its stack, so it may have overflowed; "
            "raise interrupt_stack_bytes in the profile and export again"
        )
    return top - limit - untouched
