"""The USART bootloader in an STM32's ROM, as application note AN3155 has it: a subset that tools use.

Commands come with their complement, addresses and data with an XOR of their bytes; every part is acknowledged.
Writing only clears bits, as in flash, so an erase that was forgotten shows.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

from tests.support.pty_board import PtyBoard

ACK, NACK = b"\x79", b"\x1f"
SYNCHRONIZE = 0x7F
GET, GET_VERSION, GET_ID, READ, GO, WRITE, EXTENDED_ERASE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44
CHIP_ID = 0x413  # STM32F405/415, F407/417 (AN2606)
FLASH_ORIGIN = 0x0800_0000


class Stm32Bootloader(PtyBoard):
    """An STM32F405 in its bootloader; ``flash`` is what lies in its flash, ``started`` where it was told to go.

    ``defect`` is an offset at which a bit of its flash cannot be cleared.
    """

    def __init__(self, defect: int | None = None) -> None:
        super().__init__()
        # Not erased: somebody else's firmware.
        self.flash = bytearray(b"\x5a" * (1 << 20))
        self.defect = defect
        self.started: int | None = None
        self.commands: list[int] = []

    def serve(self) -> None:
        command = self.read(1)[0]
        if command == SYNCHRONIZE:
            self.write(ACK)
            return
        if command ^ self.read(1)[0] != 0xFF:
            self.write(NACK)
            return
        self.commands.append(command)
        known = bytes([0x31, GET, GET_VERSION, GET_ID, READ, GO, WRITE, EXTENDED_ERASE])
        answers = {
            GET: bytes([len(known) - 1]) + known,
            GET_VERSION: b"\x31\0\0",
            GET_ID: b"\x01" + CHIP_ID.to_bytes(2, "big"),
        }
        if command in answers:
            self.write(ACK + answers[command] + ACK)
        elif command == READ:
            self._read_memory()
        elif command == WRITE:
            self._write_memory()
        elif command == GO:
            self.write(ACK)
            self.started = self._address()
        elif command == EXTENDED_ERASE:
            self._erase()
        else:
            self.write(NACK)

    def _address(self) -> int:
        content = self.read(5)
        assert reduce(xor, content) == 0, "the checksum of an address is wrong"
        self.write(ACK)
        return int.from_bytes(content[:4], "big")

    def _read_memory(self) -> None:
        self.write(ACK)
        start = self._address() - FLASH_ORIGIN
        size, complement = self.read(2)
        assert size ^ complement == 0xFF
        inside = 0 <= start < len(self.flash)
        # Outside of flash lies the system memory, which tells the size of the flash and the number of the chip.
        content = bytes(self.flash[start : start + size + 1]) if inside else b"\0\x04" * (size // 2 + 1)
        self.write(ACK + content[: size + 1])

    def _write_memory(self) -> None:
        self.write(ACK)
        start = self._address() - FLASH_ORIGIN
        size = self.read(1)
        data = self.read(size[0] + 1)
        assert reduce(xor, size + data) == self.read(1)[0], "the checksum of data is wrong"
        for offset, byte in enumerate(data, start):
            self.flash[offset] &= byte
            if offset == self.defect:
                self.flash[offset] |= 1
        self.write(ACK)

    def _erase(self) -> None:
        self.write(ACK)
        which = self.read(3)
        assert which == b"\xff\xff\0", "only a mass erase is known here"
        self.flash[:] = b"\xff" * len(self.flash)
        self.write(ACK)
