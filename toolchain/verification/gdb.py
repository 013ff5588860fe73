"""A small client of the GDB remote serial protocol, as far as verification needs it.

Documented in the GDB manual, appendix "GDB Remote Serial Protocol": a packet is ``$payload#checksum``, numbers
are hexadecimal, memory travels as hexadecimal bytes. Every wait has a deadline.
"""

from __future__ import annotations

import socket
import time

CHUNK_BYTES = 1024
"""Memory moved by one packet; QEMU's longest packet holds four times as many digits."""

ANSWER_S = 10.0
"""Longest wait for the answer to a command that does not run the target."""


class GdbError(Exception):
    """The stub closed the connection, answered with an error, or did not answer in time."""


class GdbClient:
    """Speaks to the stub at the other end of ``connection``, whose target is stopped."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self.command("QStartNoAckMode")
        # QEMU answers to single registers only after its description of them was asked for.
        self.command("qXfer:features:read:target.xml:0,100")

    def read(self, address: int, size_bytes: int) -> bytes:
        """Memory content."""
        parts = [
            self._memory(start, min(CHUNK_BYTES, address + size_bytes - start))
            for start in range(address, address + size_bytes, CHUNK_BYTES)
        ]
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        """Change memory."""
        for start in range(0, len(data), CHUNK_BYTES):
            part = data[start : start + CHUNK_BYTES]
            self._expect_ok(f"M{address + start:x},{len(part):x}:{part.hex()}")

    def read_register(self, number: int) -> int:
        """Value of a 32-bit register."""
        answer = self.command(f"p{number:x}")
        value = _unhex(answer)
        if len(value) != 4:
            raise GdbError(f"register {number} cannot be read: {answer[:20]!r}")
        return int.from_bytes(value, "little")

    def write_register(self, number: int, value: int) -> None:
        """Change a 32-bit register."""
        self._expect_ok(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def set_breakpoint(self, address: int) -> None:
        """Stop before the 16-bit instruction at ``address`` from now on."""
        self._expect_ok(f"Z0,{address:x},2")

    def step(self) -> None:
        """Execute one instruction, without regard to breakpoints."""
        self._stopped(self.command("s"))

    def run(self, limit_s: float) -> bool:
        """Run until a breakpoint: True. After ``limit_s`` without one, stop the target: False."""
        self._send("c")
        try:
            self._stopped(self._receive(limit_s))
            return True
        except TimeoutError:
            self._connection.sendall(b"\x03")
            self._stopped(self._receive(ANSWER_S))
            return False

    def command(self, payload: str) -> str:
        """Send a packet and return the answer; raises ``GdbError`` if none comes."""
        self._send(payload)
        try:
            return self._receive(ANSWER_S)
        except TimeoutError:
            raise GdbError(f"no answer to {payload[:20]!r} within {ANSWER_S:g} s") from None

    def _memory(self, address: int, size_bytes: int) -> bytes:
        answer = self.command(f"m{address:x},{size_bytes:x}")
        content = _unhex(answer)
        if len(content) != size_bytes:
            raise GdbError(f"{size_bytes} bytes at 0x{address:08x} cannot be read: {answer[:20]!r}")
        return content

    def _expect_ok(self, payload: str) -> None:
        answer = self.command(payload)
        if answer != "OK":
            raise GdbError(f"{payload[:20]!r} was refused: {answer[:20]!r}")

    def _stopped(self, answer: str) -> None:
        if answer[:1] not in ("S", "T"):
            raise GdbError(f"the target ended: {answer[:20]!r}")

    def _send(self, payload: str) -> None:
        checksum = sum(payload.encode()) & 0xFF
        try:
            self._connection.sendall(f"${payload}#{checksum:02x}".encode())
        except OSError as error:
            raise GdbError(f"the connection is gone: {error.strerror}") from error

    def _receive(self, limit_s: float) -> str:
        """The payload of the next packet; raises ``TimeoutError`` when none is whole after ``limit_s``."""
        deadline = time.monotonic() + limit_s
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start + 1)
            if start >= 0 and 0 <= end <= len(self._received) - 3:
                payload = self._received[start + 1 : end].decode("ascii", "replace")
                self._received = self._received[end + 3 :]
                return payload
            self._connection.settimeout(max(deadline - time.monotonic(), 1e-3))
            try:
                more = self._connection.recv(65536)
            except TimeoutError:
                raise
            except OSError as error:
                raise GdbError(f"the connection is gone: {error.strerror}") from error
            if not more:
                raise GdbError("the emulator closed the connection")
            self._received += more


def _unhex(answer: str) -> bytes:
    """The bytes that ``answer`` writes in hexadecimal, none if it is something else."""
    try:
        return bytes.fromhex(answer)
    except ValueError:
        return b""
