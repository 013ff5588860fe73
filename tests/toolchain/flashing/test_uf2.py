"""UF2 files: by hand against the format, and copied to a drive that behaves as a bootloader's does."""

from __future__ import annotations

import json
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.toolchain.flashing.conftest import RunOf
from toolchain.cli.main import main
from toolchain.flashing.tools import uf2 as tool
from toolchain.flashing.uf2 import blocks

RP2040 = 0xE48BFF56


def parsed(content: bytes) -> list[tuple[int, bytes]]:
    """Address and data of every block; every field is as the format has it."""
    found = []
    count, rest = divmod(len(content), 512)
    assert rest == 0
    for number in range(count):
        block = content[number * 512 : number * 512 + 512]
        first, second, flags, address, size, index, total, family = struct.unpack_from("<8I", block)
        assert (first, second, struct.unpack_from("<I", block, 508)[0]) == (
            0x0A324655,
            0x9E5D5157,
            0x0AB16F30,
        )
        assert (flags, size, index, total, family) == (0x2000, 256, number, count, RP2040)
        assert not any(block[32 + size : 508])
        found.append((address, block[32 : 32 + size]))
    return found


def test_blocks_hold_the_image_page_by_page() -> None:
    data = bytes(range(256)) * 2 + b"tail"
    found = parsed(blocks(data, 0x1000_0000, RP2040))
    assert [address for address, _ in found] == [0x1000_0000, 0x1000_0100, 0x1000_0200]
    assert b"".join(content for _, content in found) == data + b"\xff" * 252


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    folder = tmp_path / "RPI-RP2"
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
    )
    return folder


def board_takes(drive: Path, blocks_wanted: int) -> threading.Thread:
    """The bootloader: when every block has come it restarts, and its drive is gone."""

    def watch() -> None:
        file, deadline = drive / "firmware.uf2", time.monotonic() + 10
        while time.monotonic() < deadline:
            if file.exists() and file.stat().st_size == 512 * blocks_wanted:
                (drive / "INFO_UF2.TXT").unlink()
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_an_image_is_copied_with_its_boot_stage(
    run_of: RunOf, drive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("rp2040")
    image = (run.artifacts / "firmware.bin").read_bytes()
    thread = board_takes(drive, 1 + -(-len(image) // 256))
    assert main(["flash", str(run.path), "--drive", str(drive), "--json"]) == 0
    thread.join()
    found = parsed((drive / "firmware.uf2").read_bytes())
    assert found[0][0] == 0x1000_0000 and found[1][0] == 0x1000_0100
    assert b"".join(content for _, content in found[1:])[: len(image)] == image
    document = json.loads(capsys.readouterr().out)
    assert document["tool"] == "uf2" and "not read back" in document["verified"]


def test_a_board_that_does_not_restart_is_told(
    run_of: RunOf, drive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "LEAVES_S", 0.2)
    assert main(["flash", str(run_of("rp2040").path), "--drive", str(drive)]) == 3
    assert "did not restart" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (None, "is no UF2 drive"),
        ("Board-ID: SAMD21\n", "calls itself 'SAMD21'"),
        ("Model: x\n", "calls itself 'nothing'"),
        ("Board-ID: RPI-RP2350\n", "calls itself 'RPI-RP2350'"),
        ("x" * 5000, "more than the 4,096"),
    ],
)
def test_a_drive_that_is_not_the_board_is_not_written(
    run_of: RunOf, drive: Path, info: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (drive / "INFO_UF2.TXT").unlink()
    if info is not None:
        (drive / "INFO_UF2.TXT").write_text(info)
    assert main(["flash", str(run_of("rp2040").path), "--drive", str(drive)]) == 3
    assert sentence in capsys.readouterr().err and not (drive / "firmware.uf2").exists()
