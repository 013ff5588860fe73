"""The real programs where they are installed: GDB loads into QEMU, and nobody waits for a probe that is not there."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.toolchain.flashing.conftest import RunOf
from toolchain.cli.main import main
from toolchain.verification.elf import read_elf

Tools = Callable[[str], str]


@pytest.fixture
def qemu(require_tool: Tools) -> Iterator[int]:
    """An STM32F405 in QEMU that stands still, with a GDB server; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [
        "-M",
        "netduinoplus2",
        "-display",
        "none",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-nodefaults",
        "-S",
    ]
    child = subprocess.Popen([require_tool("qemu-system-arm"), *words, "-gdb", f"tcp:127.0.0.1:{port}"])
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert child.poll() is None and time.monotonic() < deadline, "QEMU opened no GDB server"
            time.sleep(0.05)
    try:
        yield port
    finally:
        child.kill()
        child.wait()


def test_gdb_loads_into_qemu(
    run_of: RunOf, require_tool: Tools, qemu: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gdb = require_tool("gdb-multiarch")
    run = run_of("stm32f405")
    assert main(["flash", str(run.path), "--tool", "gdb", "--port", f"localhost:{qemu}", "--json"]) == 0
    assert "every section" in json.loads(capsys.readouterr().out)["verified"]
    image = read_elf(run.artifacts / "firmware.elf")
    flashed, magic = tmp_path / "flashed", tmp_path / "magic"
    content, mailbox = (run.artifacts / "firmware.bin").read_bytes(), image.symbol("spikenas_mailbox").address
    session = (
        f"target remote localhost:{qemu}",
        f"dump binary memory {flashed} 0x08000000 {0x0800_0000 + len(content)}",
        f"dump binary memory {magic} {mailbox} {mailbox + 4}",
    )
    words = [word for line in session for word in ("-ex", line)]
    subprocess.run([gdb, "-nx", "-batch", *words], check=True, timeout=60)
    # It is there, and it runs: the main loop has set up its mailbox.
    assert flashed.read_bytes() == content and magic.read_bytes() == b"SPKN"


def test_gdb_without_a_server_ends(run_of: RunOf, require_tool: Tools) -> None:
    require_tool("gdb-multiarch")
    began = time.monotonic()
    assert main(["flash", str(run_of("stm32f405").path), "--tool", "gdb", "--port", "localhost:1"]) == 3
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("tool", ["openocd", "dfu-util", "pyocd"])
def test_no_probe_ends_at_once(
    run_of: RunOf, require_tool: Tools, tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if tool == "pyocd":
        pytest.importorskip("pyocd", reason="pyocd is not installed; pip install 'spikenas-deploy[flash]'")
    else:
        require_tool(tool)
    began = time.monotonic()
    assert main(["flash", str(run_of("stm32f405").path), "--tool", tool]) == 3
    assert time.monotonic() - began < 60 and f"{tool} failed with exit code" in capsys.readouterr().err
