"""The serial bootloader of a PX4 or ArduPilot board, as its users document it (see flashing/px4_bootloader.py)."""

from __future__ import annotations

from tests.support.pty_board import PtyBoard

OK, FAILED, INVALID = b"\x12\x10", b"\x12\x11", b"\x12\x13"
END = 0x20


class Px4Board(PtyBoard):
    """A board in its bootloader; ``flash`` is what lies behind the bootloader, ``rebooted`` whether it was started.

    ``silent`` requests pass before it answers at all, as while it starts. ``defect`` is an offset at which a bit of its
    flash cannot be cleared; ``fails`` a command that it refuses.
    """

    def __init__(
        self,
        board: int,
        flash_bytes: int,
        *,
        revision: int = 5,
        silent: int = 0,
        defect: int | None = None,
        fails: int = -1,
    ) -> None:
        super().__init__()
        self.facts = {1: revision, 2: board, 3: 0, 4: flash_bytes}
        self.flash = bytearray(b"\x5a" * flash_bytes)
        self.silent, self.defect, self.fails = silent, defect, fails
        self.erased = self.rebooted = False
        self._next = 0

    def serve(self) -> None:
        command = self.read(1)[0]
        if self.silent:
            self.silent -= 1
            return
        if command == self.fails:
            self.read(1)
            self.write(FAILED)
        elif command == 0x21:
            self._end(b"")
        elif command == 0x22:
            self._end(self.facts[self.read(1)[0]].to_bytes(4, "little"))
        elif command == 0x23:
            self.flash[:] = b"\xff" * len(self.flash)
            self.erased, self._next = True, 0
            self._end(b"")
        elif command == 0x27:
            size = self.read(1)[0]
            self._program(self.read(size))
            self._end(b"")
        elif command == 0x29:
            self._end(crc(bytes(self.flash)).to_bytes(4, "little"))
        elif command == 0x30:
            assert self.read(1)[0] == END
            self.rebooted = True
        else:
            self.write(INVALID)

    def _program(self, data: bytes) -> None:
        assert len(data) % 4 == 0, "flash is written in words"
        for byte in data:
            self.flash[self._next] &= byte
            if self._next == self.defect:
                self.flash[self._next] |= 1
            self._next += 1

    def _end(self, answer: bytes) -> None:
        assert self.read(1)[0] == END, "a request ends with 0x20"
        self.write(answer + OK)


def crc(data: bytes) -> int:
    """Bit by bit, unlike the client: reflected polynomial 0xEDB88320, begins with 0, not inverted."""
    table = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    state = 0
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state
