"""Applications of ESP-IDF: what they must be, and the exact commands that esptool gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import esp_application
from tests.toolchain.flashing.conftest import Fake, RunOf
from toolchain.cli.main import main
from toolchain.errors import InputError, OverBudgetError
from toolchain.flashing.esp_image import parse
from toolchain.flashing.flight import flight_firmware
from toolchain.graph.storage import load_graph
from toolchain.profiles import load

BOARD = load("esp32s3")
HASH = "5a" * 32
OTHER = "a5" * 32


def built(folder: Path, **changes: int) -> tuple[Path, Path]:
    places = {key: changes.pop(key) for key in ("arena", "dram_bytes") if key in changes}
    elf = esp_application.elf(folder / "app.elf", HASH, **places)
    return esp_application.application(folder / "app.bin", elf, **changes), elf


def test_an_application_with_the_network_goes_to_its_partition(tmp_path: Path) -> None:
    binary, elf = built(tmp_path)
    image = flight_firmware(binary, elf, BOARD, HASH).image
    assert image.address == 0x10000 and image.data == binary.read_bytes()


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"chip": 5}, InputError, "built for another chip than esp32s3"),
        ({"padding": 1_536_000}, OverBudgetError, "too large for the application's partition"),
        ({"arena": 0x3F00_0000}, InputError, "has net_arena at 0x3f000000"),
        ({"dram_bytes": 400_000}, OverBudgetError, "overflows dram of esp32s3 by"),
    ],
)
def test_what_does_not_fit_the_board_is_refused(
    tmp_path: Path, changes: dict[str, int], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        flight_firmware(*built(tmp_path, **changes), BOARD, HASH)


def test_another_network_or_another_build_is_refused(tmp_path: Path) -> None:
    binary, elf = built(tmp_path)
    with pytest.raises(InputError, match="does not hold this network"):
        flight_firmware(binary, elf, BOARD, OTHER)
    elf.write_bytes(elf.read_bytes() + b"\0")
    with pytest.raises(InputError, match="was not made from"):
        flight_firmware(binary, elf, BOARD, HASH)


def test_a_network_that_was_changed_in_the_file_alone_is_refused(tmp_path: Path) -> None:
    binary, elf = built(tmp_path)
    binary.write_bytes(binary.read_bytes().replace(bytes.fromhex(HASH), bytes.fromhex(OTHER)))
    with pytest.raises(InputError, match="does not hold this network"):
        flight_firmware(binary, elf, BOARD, HASH)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda content: b"", "is no application of ESP-IDF"),
        (lambda content: b"\x00" + content[1:], "is no application of ESP-IDF"),
        (lambda content: content[:100], "segments lie outside the file"),
        (lambda content: content[:1] + b"\xff" + content[2:], "segments lie outside the file"),
        (lambda content: content[:1] + b"\x00" + content[2:], "has no application descriptor"),
        (lambda content: content[:32] + bytes(4) + content[36:], "has no application descriptor"),
    ],
)
def test_a_broken_application_is_one_sentence(
    tmp_path: Path, harm: Callable[[bytes], bytes], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        parse(Path("app.bin"), harm(built(tmp_path)[0].read_bytes()))


def test_the_exact_commands(
    run_of: RunOf,
    fake: Fake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_of("esp32s3")
    elf = esp_application.elf(tmp_path / "app.elf", load_graph(run.path).sha256())
    binary = esp_application.application(tmp_path / "app.bin", elf)
    arguments = [
        "flash",
        str(run.path),
        "--firmware",
        str(binary),
        "--elf",
        str(elf),
        "--port",
        "/dev/ttyACM0",
    ]
    record = fake("esptool", "print('Hash of data verified.') if 'write-flash' in words else None")
    assert main([*arguments, "--json"]) == 0
    start = ["--chip", "esp32s3", "--port", "/dev/ttyACM0"]
    assert [json.loads(line) for line in record.read_text().splitlines()] == [
        [*start, "write-flash", "0x10000", str(binary)],
        [*start, "verify-flash", "0x10000", str(binary)],
    ]
    (written,) = json.loads(capsys.readouterr().out)["written"]
    assert written["where"] == "flash at 0x00010000" and written["size_bytes"] == binary.stat().st_size
    fake("esptool", "print('Wrote something')")
    assert main(arguments) == 3
    for more in (
        [],
        ["--standalone", "--erase-flight-firmware"],
        ["--firmware", str(elf), "--elf", str(elf)],
    ):
        assert main(["flash", str(run.path), "--port", "/dev/ttyACM0", *more]) == 3
