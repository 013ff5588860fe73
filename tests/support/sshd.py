"""A real OpenSSH server on loopback: an ordinary process on a free port, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Sshd:
    """Runs while the context manager is open; ``address`` and ``configuration`` are for ``flash --host``.

    ``path`` replaces the PATH of what runs on the "board", ``temporary`` its folder for temporary files. The user's
    own ssh files are not touched.
    """

    def __init__(
        self, program: str, folder: Path, path: str | None = None, temporary: Path | None = None
    ) -> None:
        self._program, self.folder = program, folder
        folder.mkdir(mode=0o700)
        self.address = f"{getpass.getuser()}@board"
        self.configuration = folder / "ssh_config"
        self._log = folder / "log"
        # One connection for all commands saves seconds; the name of a socket must be short.
        self._shared = tempfile.mkdtemp(prefix="ssh")
        # As in a shell within a shell, where bash leaves the user's own .bashrc alone, which may do anything.
        environment = {"SHLVL": "1", "PATH": path, "TMPDIR": temporary}
        given = " ".join(f"{name}={value}" for name, value in environment.items() if value is not None)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        for name in ("host_key", "user_key"):
            self._keygen(folder / name)
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        public = (folder / "host_key.pub").read_text().split()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {public[0]} {public[1]}\n")
        (folder / "sshd_config").write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
            f"SetEnv {given}\n"
        )
        self.configuration.write_text(
            f"Host board\n  HostName 127.0.0.1\n  Port {self._port}\n  IdentityFile {folder}/user_key\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            f"  StrictHostKeyChecking yes\n  ControlMaster auto\n  ControlPath {self._shared}/s\n  ControlPersist 60\n"
        )

    def __enter__(self) -> Sshd:
        # It wants this folder to drop its privileges in; only a package's own start-up makes it.
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = [self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self._log.open("wb"))
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return self
            except OSError:
                if self._child.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"sshd does not run: {self._log.read_text()}") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        words = ["ssh", "-F", str(self.configuration), "-O", "exit", "board"]
        subprocess.run(words, stderr=subprocess.DEVNULL, check=False)
        self._child.terminate()
        self._child.wait(10)
        shutil.rmtree(self._shared)

    def forget_the_host_key(self) -> None:
        """As for a board that was never connected to, or is another than it says."""
        other = self.folder / "other_key"
        self._keygen(other)
        public = other.with_suffix(".pub").read_text().split()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {public[0]} {public[1]}\n")

    def _keygen(self, path: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
