"""A board at the other end of a pseudo-terminal: what a serial tool sees in place of a port."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from abc import ABC, abstractmethod
from types import TracebackType


class PtyBoard(ABC):
    """Answers on a pseudo-terminal from a thread of its own while the context manager is open; ``port`` is its name."""

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self.error: Exception | None = None
        self._received = b""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> PtyBoard:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join(5)
        os.close(self._ours)
        os.close(self._theirs)
        if self.error is not None and error is None:
            raise self.error

    @abstractmethod
    def serve(self) -> None:
        """Answer one request."""

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes that the tool sends."""
        while len(self._received) < size:
            if self._closing.is_set():
                raise EOFError
            if select.select([self._ours], [], [], 0.05)[0]:
                self._received += os.read(self._ours, 4096)
        found, self._received = self._received[:size], self._received[size:]
        return found

    def write(self, data: bytes) -> None:
        """Send to the tool."""
        os.write(self._ours, data)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self.serve()
        except EOFError:
            pass
        except Exception as error:
            self.error = error
