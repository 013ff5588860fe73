from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from toolchain.verification import gdb
from toolchain.verification.gdb import GdbClient, GdbError


class Stub:
    """The other end: answers each packet from ``answers`` (by its first letter), None for silence."""

    def __init__(self, answers: dict[str, str | None]) -> None:
        self.answers = {"Q": "OK", "q": "l"} | answers
        self.packets: list[str] = []
        self.ours, self.theirs = socket.socketpair()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        received = b""
        while more := self._more():
            received += more
            if received == b"\x03":
                self._send("T02")
                received = b""
            while b"#" in received[:-2]:
                packet, _, rest = received.partition(b"#")
                received = rest[2:]
                payload = packet.rpartition(b"$")[2].decode()
                assert int(rest[:2], 16) == sum(payload.encode()) & 255
                self.packets.append(payload)
                answer = self.answers.get(payload[0], "OK")
                if answer is not None:
                    self._send(answer)

    def _more(self) -> bytes:
        try:
            return self.theirs.recv(65536)
        except OSError:
            return b""

    def _send(self, answer: str) -> None:
        # In two pieces, with an acknowledgement before it, as a stub may.
        text = f"+${answer}#{sum(answer.encode()) & 255:02x}".encode()
        self.theirs.sendall(text[:3])
        self.theirs.sendall(text[3:])


@pytest.fixture
def stub(request: pytest.FixtureRequest) -> Iterator[Stub]:
    made = Stub(getattr(request, "param", {}))
    yield made
    made.ours.close()
    made.theirs.close()


@pytest.mark.parametrize(
    "stub", [{"m": "0102", "p": "78563412", "s": "T05", "c": "T05thread:01;"}], indirect=True
)
def test_memory_registers_and_running(stub: Stub) -> None:
    client = GdbClient(stub.ours)
    assert client.read(0x100, 2) == b"\1\2"
    assert client.read_register(15) == 0x12345678
    client.write_register(13, 0x2000_0400)
    client.set_breakpoint(0x0800_0040)
    client.step()
    assert client.run(1.0)
    assert stub.packets[2:] == ["m100,2", "pf", "Pd=00040020", "Z0,8000040,2", "s", "c"]


def test_long_writes_go_in_chunks(stub: Stub) -> None:
    GdbClient(stub.ours).write(0, bytes(2 * gdb.CHUNK_BYTES + 1))
    sizes = [packet.partition(":")[0] for packet in stub.packets if packet[0] == "M"]
    assert sizes == ["M0,400", "M400,400", "M800,1"]


@pytest.mark.parametrize("stub", [{"m": "E14", "M": "E22", "p": "", "s": "W00"}], indirect=True)
def test_refusals_are_told(stub: Stub) -> None:
    client = GdbClient(stub.ours)
    with pytest.raises(GdbError, match="0x00000100 cannot be read: 'E14'"):
        client.read(0x100, 2)
    with pytest.raises(GdbError, match="refused: 'E22'"):
        client.write(0x100, b"\0")
    with pytest.raises(GdbError, match="register 15 cannot be read"):
        client.read_register(15)
    with pytest.raises(GdbError, match="the target ended"):
        client.step()


@pytest.mark.parametrize("stub", [{"c": None}], indirect=True)
def test_a_target_that_runs_on_is_stopped(stub: Stub) -> None:
    assert not GdbClient(stub.ours).run(0.05)


@pytest.mark.parametrize("stub", [{"m": None}], indirect=True)
def test_silence_ends(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gdb, "ANSWER_S", 0.05)
    with pytest.raises(GdbError, match="no answer to 'm0,1'"):
        GdbClient(stub.ours).read(0, 1)


def test_a_closed_connection_ends(stub: Stub) -> None:
    client = GdbClient(stub.ours)
    stub.theirs.shutdown(socket.SHUT_RDWR)
    with pytest.raises(GdbError, match="closed the connection|connection is gone"):
        client.read(0, 1)
