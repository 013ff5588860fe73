"""The real stm32loader against a simulated ROM bootloader on a pseudo-terminal; what it wrote then boots."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.stm32_bootloader import FLASH_ORIGIN, Stm32Bootloader
from tests.toolchain.flashing.conftest import RunOf
from toolchain.cli.main import main
from toolchain.graph import reference
from toolchain.graph.storage import load_graph
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.mailbox import Mailbox, infer_all

WITHOUT_LINES = """\
#!{python}
# A pseudo-terminal has no modem lines and no parity; the bootloader's own reset is pressed by hand here.
import sys
import serial
serial.Serial.setDTR = serial.Serial.setRTS = lambda self, level=True: None
from stm32loader.main import main
main(*sys.argv[1:], "--parity", "none")
"""


@pytest.fixture
def stm32loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_package: Callable[[str], None]
) -> None:
    require_package("stm32loader")
    program = tmp_path / "bin" / "stm32loader"
    program.parent.mkdir()
    program.write_text(WITHOUT_LINES.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("stm32loader")
def test_what_was_written_boots_in_the_emulator(run_of: RunOf, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of("stm32f405")
    with Stm32Bootloader() as board:
        assert main(["flash", str(run.path), "--tool", "stm32loader", "--port", board.port, "--json"]) == 0
    content = (run.artifacts / "firmware.bin").read_bytes()
    assert board.flash == content.ljust(len(board.flash), b"\xff") and board.started == FLASH_ORIGIN
    (written,) = json.loads(capsys.readouterr().out)["written"]
    assert written["where"] == "flash at 0x08000000" and written["size_bytes"] == len(content)

    graph, image = load_graph(run.path), read_elf(run.artifacts / "firmware.elf")
    machine = Emulator(image, run.profile())
    # Nothing of the ELF is left in the emulator: it runs what the board was given.
    machine.core.mem_write(FLASH_ORIGIN, b"\xff" * len(board.flash))
    machine.core.mem_write(FLASH_ORIGIN, bytes(board.flash))
    mailbox = Mailbox.of(image, graph)
    mailbox.boot(machine)
    pixels = np.random.default_rng(0).integers(0, 256, (3, *graph.input.extents)).astype(np.uint8)
    assert np.array_equal(infer_all(machine, mailbox, pixels), reference.scores(graph, pixels))


@pytest.mark.usefixtures("stm32loader")
def test_flash_that_does_not_take_a_bit_is_found(run_of: RunOf, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of("stm32f405")
    content = (run.artifacts / "firmware.bin").read_bytes()
    place = next(index for index, byte in enumerate(content) if not byte & 1)
    with Stm32Bootloader(defect=place) as board:
        assert main(["flash", str(run.path), "--tool", "stm32loader", "--port", board.port]) == 3
    assert "Verification FAILED" in capsys.readouterr().err and board.started is None
