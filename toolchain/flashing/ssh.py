"""A Linux board over the system's own ssh and scp: copied beside, verified there, switched to at once.

Host keys, users, ports and keys are as the user's ssh has them; nothing asks for a password (``BatchMode``). On the
board, ``DIR/versions/VERSION`` holds the files, and the link ``DIR/current`` names the version in use. A step that
fails takes the new version away again and leaves, or puts back, the one that was current. The board needs a shell,
GNU coreutils (``mv -T``, ``sha256sum``) and sshd.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from toolchain.errors import InputError, OutputsDifferError, ToolMissingError
from toolchain.files import sha256
from toolchain.flashing.steps import Action, Command, Plan, Progress, Step, Written, run

FOLDER = "spikenas"
"""Where a board's versions go, in the user's home, if nothing else is said."""

CONNECT_S, COMMAND_S, COPY_S = 10, 60, 600

_HOST = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OPTIONS = (
    *("-o", "BatchMode=yes"),
    *("-o", f"ConnectTimeout={CONNECT_S}"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)


@dataclass(frozen=True)
class Host:
    """A board that ssh reaches: ``address`` is user@board or a name in the user's ssh configuration.

    ``configuration`` is an ssh configuration file in place of the user's own. Raises ``InputError`` for what ssh or
    a shell could take for something else.
    """

    address: str
    folder: str = FOLDER
    configuration: Path | None = None

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.address):
            raise InputError(
                f"--host {self.address!r:.80} is no user@board; use letters, digits, '.', '_' and '-'"
            )
        if not _FOLDER.fullmatch(self.folder):
            raise InputError(
                f"--path {self.folder!r:.80} is no plain folder; use letters, digits, '.', '_', '-' and '/', "
                "and no part that begins with '.' or '-'"
            )
        if self.configuration is not None and not self.configuration.is_file():
            raise InputError(f"--ssh-config {self.configuration} does not exist; check the path")

    def command(self, *lines: Sequence[str]) -> tuple[str, ...]:
        """The words that run ``lines`` on the board, each only if the one before it succeeded."""
        remote = " && ".join(shlex.join(line) for line in lines)
        return (_program("ssh"), *self._options(), "-T", "--", self.address, remote)

    def copy(self, files: Sequence[Path], folder: str) -> tuple[str, ...]:
        """The words that copy ``files`` into ``folder`` on the board."""
        paths = [str(file.resolve()) for file in files]
        return (_program("scp"), *self._options(), "-q", "--", *paths, f"{self.address}:{folder}/")

    def _options(self) -> tuple[str, ...]:
        named = () if self.configuration is None else ("-F", str(self.configuration.resolve()))
        return (*named, *_OPTIONS)


def plan(host: Host, files: Sequence[Path], graph_sha256: str, now: datetime | None = None) -> Plan:
    """The steps that bring ``files`` to the board as a new version and make it the current one.

    Raises ``ToolMissingError`` without ssh or scp, ``InputError`` for a file name that is not plain.
    """
    for file in files:
        if not _FILE.fullmatch(file.name):
            raise InputError(f"{file} has a name that is not copied; use letters, digits, '.', '_' and '-'")
    stamp = (now or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    version = f"versions/{stamp}-{graph_sha256[:12]}"
    target = f"{host.folder}/{version}"
    switch = _Switch(host, version)
    written = tuple(
        Written(f"{host.address}:{target}/{file.name}", file.stat().st_size, sha256(file)) for file in files
    )
    names = [f"{target}/{file.name}" for file in files]
    steps: tuple[Step, ...] = (
        switch.remember(),
        Command(
            host.command(["mkdir", "-p", "--", f"{host.folder}/versions"], ["mkdir", "--", target]),
            COMMAND_S,
            switch.made,
        ),
        Command(host.copy(files, target), COPY_S),
        Command(
            host.command(["sync"], ["sha256sum", "--", *names]),
            COMMAND_S,
            lambda output: _require_hashes(output, names, written),
        ),
        *switch.steps(),
    )
    return Plan(
        "ssh",
        steps,
        written,
        f"sha256sum on the board, file by file, before {host.folder}/current was switched to it",
        undo=(switch.undo(target),),
    )


class _Switch:
    """The link ``current`` of a board: where it points, where it is to point, and back."""

    def __init__(self, host: Host, version: str) -> None:
        self._host, self._version = host, version
        self._link, self._next = f"{host.folder}/current", f"{host.folder}/.next"
        self._before: str | None = None
        self._made = False

    def remember(self) -> Action:
        """Ask where it points now: nowhere on a new board."""
        # `readlink -q` fails without a word where there is no link, so another word tells that the board was reached.
        words = (
            *self._host.command(["true"])[:-1],
            f"{shlex.join(['readlink', '-q', '--', self._link])}; echo asked",
        )

        def act(progress: Progress) -> None:
            lines = run(words, COMMAND_S).split("\n")
            if "asked" not in lines:
                raise InputError(f"{self._host.address} runs no usual shell: {' / '.join(lines)[:200]}")
            target = next((line for line in lines if line.startswith("versions/")), None)
            if target is not None and re.fullmatch(r"versions/[A-Za-z0-9_.-]+", target):
                self._before = target

        return Action(shlex.join(words), act)

    def made(self, _: str) -> None:
        """The folder of the new version was made, by us."""
        self._made = True

    def steps(self) -> tuple[Step, ...]:
        """Point it to the new version in one move: whoever opens a file sees the old version or the new."""
        return (
            Command(self._point_to(self._version), COMMAND_S),
            Command(self._host.command(["readlink", "--", self._link]), COMMAND_S, self._require_switched),
        )

    def undo(self, target: str) -> Action:
        """Point it back, and take the new version away; a board where nothing was begun is left alone."""

        def act(progress: Progress) -> None:
            if not self._made:
                return
            if self._before is not None:
                run(self._point_to(self._before), COMMAND_S)
            else:
                # Only if it points to what goes now: a folder of that name, or another link, stays.
                run(self._unlink(), COMMAND_S)
            run(self._host.command(["rm", "-rf", "--", target, self._next]), COMMAND_S)

        return Action(f"take {target} away again", act)

    def _point_to(self, version: str) -> tuple[str, ...]:
        return self._host.command(
            ["ln", "-s", "-f", "-n", "--", version, self._next],
            ["mv", "-f", "-T", "--", self._next, self._link],
        )

    def _unlink(self) -> tuple[str, ...]:
        find = ["find", self._link, "-maxdepth", "0", "-lname", self._version, "-delete"]
        return (*self._host.command(["true"])[:-1], f"{shlex.join(find)} 2>/dev/null; true")

    def _require_switched(self, output: str) -> None:
        if self._version not in output.split("\n"):
            raise InputError(f"{self._host.address} did not switch {self._link} to the new version")


def _require_hashes(output: str, names: Sequence[str], written: Sequence[Written]) -> None:
    """``sha256sum`` on the board says of every file what it is here."""
    found = {name: digest for digest, _, name in (line.partition("  ") for line in output.splitlines())}
    for name, expected in zip(names, written, strict=True):
        if found.get(name) != expected.sha256:
            raise OutputsDifferError(
                f"{expected.where} arrived with the sha256 {found.get(name, 'of nothing')}, not {expected.sha256}; "
                "the version that was current still is, flash it again"
            )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(
            f"{name} is not installed; get it with your system's packages, on Debian and Ubuntu openssh-client"
        )
    return found
