"""The trees that exported integrations are built in, in small: the documented build files and the signatures of the
documented headers, and nothing else, so that a name that does not exist there fails to build here too.

Each tree's console is text in RAM, and its firmware enters ``stand_in_done`` when the application waits for work.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image, read_elf
from toolchain.verification.emulator import import_unicorn

HERE = Path(__file__).parent
LIMIT_US = 30_000_000


def application(graph: Graph, images: NDArray[np.uint8], prefix: str = "net") -> str:
    """The user's part of a project: it hands ``images`` (uint8 [n, C, H, W] or [n, T, C, H, W]) to the network one
    after the other, and keeps the scores in ``test_scores``.
    """
    pixels = np.moveaxis(images, -3, -1).reshape(len(images), -1)
    rows = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in pixels.tolist())
    return (
        f'#include "{prefix}_application.h"\n'
        f"static const uint8_t images[{len(images)}][{prefix.upper()}_IMAGE_BYTES] = {{\n{rows}\n}};\n"
        f"int32_t test_scores[{len(images)}][{graph.head.classes}];\n"
        "static unsigned asked, answered;\n"
        f"bool {prefix}_frame(uint8_t *image)\n{{\n"
        f"    if (asked == {len(images)}) {{ return false; }}\n"
        f"    for (unsigned k = 0; k < {prefix.upper()}_IMAGE_BYTES; k++) {{ image[k] = images[asked][k]; }}\n"
        "    asked++;\n    return true;\n}\n"
        f"void {prefix}_result(const int32_t *scores)\n{{\n"
        f"    for (unsigned k = 0; k < {graph.head.classes}; k++) {{ test_scores[answered][k] = scores[k]; }}\n"
        "    answered++;\n}\n"
    )


class Board:
    """A built firmware, run in unicorn on the chip of ``profile`` until it waits for work.

    ``received`` is what comes in on its serial port.
    """

    def __init__(self, elf: Path, profile: Profile, received: bytes = b"") -> None:
        unicorn, arm = import_unicorn()
        self._image: Image = read_elf(elf)
        self._core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        assert profile.emulation is not None
        self._core.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_{profile.emulation.unicorn_cpu}"))
        for region in profile.regions:
            self._core.mem_map(region.origin, region.size_bytes)
        self._core.mem_map(0xE000E000, 0x1000)
        for section in self._image.sections:
            if section.load_address is not None:
                content = self._image.read(section.load_address, section.size_bytes)
                self._core.mem_write(section.load_address, content)
        # Without a console nothing reads the port, and the linker has dropped it.
        if "stand_in_received" in self._image.symbols:
            port = self._image.symbol("stand_in_received")
            assert len(received) <= port.size_bytes
            self._core.mem_write(port.address, received)
            count = self._image.symbol("stand_in_received_bytes").address
            self._core.mem_write(count, len(received).to_bytes(4, "little"))
        vectors = self._image.symbol("vectors").address
        stack, entry = np.frombuffer(self._core.mem_read(vectors, 8), "<u4").tolist()
        self._core.reg_write(arm.UC_ARM_REG_SP, stack)
        end = self._image.symbol("stand_in_done").address
        self._core.emu_start(entry | 1, end & ~1, timeout=LIMIT_US)
        assert self._core.reg_read(arm.UC_ARM_REG_PC) == end & ~1, "the firmware did not end"

    @property
    def said(self) -> str:
        """What the firmware wrote on its console."""
        symbol = self._image.symbol("stand_in_text")
        return bytes(self._core.mem_read(symbol.address, symbol.size_bytes)).split(b"\0")[0].decode()

    @property
    def sent(self) -> bytes:
        """What the firmware sent on its serial port."""
        count = self._core.mem_read(self._image.symbol("stand_in_sent_bytes").address, 4)
        address = self._image.symbol("stand_in_sent").address
        return bytes(self._core.mem_read(address, int.from_bytes(count, "little")))

    def scores(self, classes: int) -> NDArray[np.int32]:
        """``test_scores`` of the application, int32 [n, classes]."""
        symbol = self._image.symbol("test_scores")
        found = np.frombuffer(self._core.mem_read(symbol.address, symbol.size_bytes), "<i4")
        return found.reshape(-1, classes)
