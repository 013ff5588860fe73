"""A temporary folder on a board for as long as a connection lasts, and what is run in it."""

from __future__ import annotations

import contextlib
import re
import selectors
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import InputError, OutputsDifferError, ToolMissingError
from toolchain.files import sha256
from toolchain.flashing.ssh import COMMAND_S, COPY_S, Host
from toolchain.flashing.steps import end, last_words
from toolchain.verification.onboard.capture import Captured, capture

OPEN_S = 60.0
"""Seconds for a board to be reached and to make a folder."""

REMOVE_S, GIVEN_UP_S = 15.0, 1.0
"""Seconds to wait for word that the folder is gone; where none was seen, the board is let alone with it."""

ANSWER_BYTES = 1 << 16
"""Most that a command may print that has no figure of its own."""

SSH_FAILED, NOT_FOUND, TIMED_OUT = 255, 127, 124
"""Exit codes: of ssh itself, of a shell that does not find a program, and of coreutils' timeout."""

_FOLDER_LINE = re.compile(rb"spikenas-folder (.*)\r?\n")
_FOLDER = re.compile(r"(/[A-Za-z0-9_.-]+)+/spikenas-[A-Za-z0-9]{10}")
_REMOVED = b"spikenas-removed"
# It lives as long as its stdin: whatever becomes of us or of the connection, the folder goes.
_LEASE = r"""
d=$(mktemp -d "${TMPDIR:-/tmp}/spikenas-XXXXXXXXXX") || exit 1
trap "rm -rf -- \"\$d\" && echo spikenas-removed" EXIT
trap "exit 1" HUP INT TERM PIPE
echo "spikenas-folder $d"
cat > /dev/null
"""


@dataclass(frozen=True)
class Connection:
    """A board with a ``folder`` of ours on it, an absolute path."""

    host: Host
    folder: str

    def run(
        self, words: Sequence[str], limit_s: float = COMMAND_S, max_bytes: int = ANSWER_BYTES
    ) -> Captured:
        """What ``words`` say that are run in the folder; the board's own ``timeout`` ends them as well.

        Raises ``InputError`` if the board is not reached, or does not answer within the limits.
        """
        limited = ["timeout", "-k", "5", f"{limit_s:.0f}", *words]
        # Longer here, so that it is the board that ends it.
        found = capture(self.host.command(["cd", self.folder], limited), limit_s + COMMAND_S, max_bytes)
        if found.code == SSH_FAILED:
            raise _unreached(self.host, found.errors)
        if found.code == TIMED_OUT:
            raise InputError(
                f"{Path(words[0]).name} on {self.host.address} did not end within {limit_s:.0f} s and was stopped;"
                " try fewer --samples"
            )
        return found

    def send(self, files: Sequence[Path]) -> None:
        """Copy ``files`` into the folder, and hold what arrived against what was sent.

        Raises ``InputError`` if the copy fails, ``OutputsDifferError`` if a hash is another.
        """
        found = capture(self.host.copy(files, self.folder), COPY_S, ANSWER_BYTES)
        if found.code:
            raise InputError(
                f"{', '.join(file.name for file in files)} cannot be copied to {self.host.address}: {found.words}"
            )
        told = self.run(["sha256sum", "--", *(file.name for file in files)]).output.decode(errors="replace")
        digests = {name: digest for digest, _, name in (line.partition("  ") for line in told.splitlines())}
        for file in files:
            if digests.get(file.name) != sha256(file):
                raise OutputsDifferError(
                    f"{file.name} arrived on {self.host.address} with another sha256 than it has here; try again"
                )


@contextmanager
def connected(host: Host, progress: Callable[[str], None]) -> Iterator[Connection]:
    """A connection to ``host``, whose folder is removed in the end, however it ends.

    Raises ``InputError`` if the board is not reached within ``OPEN_S``, or makes no folder; ``ToolMissingError``
    without ssh.
    """
    words = (*host.command(["true"])[:-1], shlex.join(["sh", "-c", _LEASE]))
    lease = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    folder = None
    try:
        folder = _folder(lease, host)
        yield Connection(host, folder)
    finally:
        removed = _close(lease, REMOVE_S if folder is not None else GIVEN_UP_S)
        if folder is not None and not removed:
            progress(
                f"{host.address}:{folder} could not be seen to be removed; look whether it is still there"
            )


def _folder(lease: subprocess.Popen[bytes], host: Host) -> str:
    said, errors = bytearray(), bytearray()
    assert lease.stdout is not None and lease.stderr is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(lease.stdout, selectors.EVENT_READ, said)
        waiting.register(lease.stderr, selectors.EVENT_READ, errors)
        deadline = time.monotonic() + OPEN_S
        while waiting.get_map() and max(len(said), len(errors)) <= ANSWER_BYTES:
            left = deadline - time.monotonic()
            if left <= 0:
                raise InputError(
                    f"{host.address} did not answer within {OPEN_S:g} s; see that it is powered and connected"
                )
            for key, _ in waiting.select(left):
                chunk = key.fileobj.read1(4096)  # type: ignore[union-attr]
                if not chunk:
                    waiting.unregister(key.fileobj)
                key.data.extend(chunk)
            # A login script may have printed something before.
            found = _FOLDER_LINE.search(said)
            if found is not None:
                folder = found[1].decode(errors="replace")
                if not _FOLDER.fullmatch(folder):
                    raise InputError(
                        f"{host.address} makes no temporary folder as asked for, but {folder!r:.100}"
                    )
                return folder
    with contextlib.suppress(subprocess.TimeoutExpired):
        lease.wait(5)
    text = errors.decode(errors="replace")
    if lease.returncode == SSH_FAILED:
        raise _unreached(host, text)
    raise InputError(
        f"{host.address} makes no temporary folder: {last_words(text or said.decode(errors='replace'))}"
    )


def _close(lease: subprocess.Popen[bytes], limit_s: float) -> bool:
    """Let the folder go; whether the board said that it is gone."""
    assert lease.stdin is not None and lease.stdout is not None
    said = bytearray()
    try:
        with contextlib.suppress(OSError):
            lease.stdin.close()
        with selectors.DefaultSelector() as waiting:
            waiting.register(lease.stdout, selectors.EVENT_READ)
            deadline = time.monotonic() + limit_s
            while _REMOVED not in said and len(said) <= ANSWER_BYTES:
                if not waiting.select(max(0.0, deadline - time.monotonic())):
                    break
                chunk = lease.stdout.read1(4096)  # type: ignore[attr-defined]
                if not chunk:
                    break
                said += chunk
        if _REMOVED in said:
            with contextlib.suppress(subprocess.TimeoutExpired):
                lease.wait(5)
    finally:
        end(lease)
    return _REMOVED in said


def _unreached(host: Host, errors: str) -> InputError:
    return InputError(
        f"{host.address} is not reached: {last_words(errors)}; see that `ssh {host.address}` works without a password"
    )


def python_missing(host: Host, python: str) -> ToolMissingError:
    """That the board has no such Python."""
    return ToolMissingError(
        f"{host.address} has no {python}; on the board: `sudo apt-get install python3 python3-pip`, or name another "
        "with --board-python"
    )
