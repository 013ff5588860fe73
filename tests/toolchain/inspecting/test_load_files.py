from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support import esp_application
from tests.support.load_files import hex_file, uf2_file
from tests.support.models import written
from tests.toolchain.inspecting.conftest import GRAPH
from toolchain.errors import InputError
from toolchain.flashing.uf2 import blocks
from toolchain.inspecting.load_files import inspect_binary, inspect_hex, inspect_uf2
from toolchain.inspecting.structure import Loaded
from toolchain.reporting.structure_tables import structure_tables
from toolchain.verification.elf import Segment, read_elf

RP2040 = 0xE48B_FF56


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Segment:
    """All of the image in one piece."""
    data = (folder / "firmware.bin").read_bytes()
    return Segment(0x0800_0000, 0x0800_0000, len(data), data)


def entry(folder: Path) -> dict[str, str]:
    """Where the image begins, by its ELF."""
    image = read_elf(folder / "firmware.elf")
    stack = int.from_bytes(image.read(0x0800_0000, 4), "little")
    return {
        "initial stack pointer": f"0x{stack:08x}",
        "reset handler": f"0x{image.symbol('Reset_Handler').address:08x}",
    }


def test_intel_hex_shows_where_it_goes_and_the_network(folder: Path, loaded: Segment, tmp_path: Path) -> None:
    records = [(0x0800_0000 + at, loaded.data[at : at + 16]) for at in range(0, len(loaded.data), 16)]
    content = hex_file([*records, (0x0808_0000, b"settings")])
    found = inspect_hex(written(tmp_path, "x.hex", content))
    assert found.loaded == (Loaded(0x0800_0000, len(loaded.data)), Loaded(0x0808_0000, 8))
    assert found.facts["graph_sha256"] == GRAPH.sha256() and found.facts["time_steps"] == GRAPH.time_steps
    assert found.facts["vector table"] == "0x08000000" and entry(folder).items() <= found.facts.items()
    assert sum(found.by_kind.values()) == found.size_bytes == len(content)
    rows = next(table.rows for table in structure_tables(found) if table.title == "Loaded")
    assert rows[1] == ("0x08080000", "0x08080008", "8")


def test_uf2_shows_its_families_and_vectors_behind_a_second_stage(
    folder: Path, loaded: Segment, tmp_path: Path
) -> None:
    # The handler of this image lies elsewhere than on an RP2040, so there are vectors of its own.
    stage = b"\x5a" * 256 + struct.pack("<II", 0x2004_0000, 0x1000_0201) + bytes(248)
    content = blocks(stage + loaded.data, 0x1000_0000, RP2040)
    found = inspect_uf2(written(tmp_path, "x.uf2", content))
    assert found.facts["uf2_families"] == ["0xe48bff56"]
    assert (found.facts["vector table"], found.facts["reset handler"]) == ("0x10000100", "0x10000200")
    assert found.facts["graph_sha256"] == GRAPH.sha256()
    (only,) = found.loaded
    assert only.address == 0x1000_0000 and only.size_bytes % 256 == 0


def test_firmware_of_others_has_no_network_and_that_is_said(tmp_path: Path) -> None:
    found = inspect_uf2(written(tmp_path, "x.uf2", uf2_file([(0x1000_0000, bytes(300))])))
    assert set(found.facts) == {"uf2_families"} and "holds no network" in found.notes[-1]
    assert "Facts" in [table.title for table in structure_tables(found)]


def test_raw_bytes_have_their_vectors_and_the_network(folder: Path, tmp_path: Path) -> None:
    found = inspect_binary(folder / "firmware.bin")
    assert entry(folder).items() <= found.facts.items() and found.facts["graph_sha256"] == GRAPH.sha256()
    assert found.by_kind["metadata"] == 60 and "without names" in found.notes[0]
    assert len(found.notes) == 1
    other = inspect_binary(written(tmp_path, "x.bin", bytes(100)))
    assert other.facts == {} and "does not begin with" in other.notes[1]
    with pytest.raises(InputError, match="has 3 bytes"):
        inspect_binary(written(tmp_path, "x.bin", b"abc"))


def test_an_application_of_esp_idf_has_its_segments_chip_and_elf(tmp_path: Path) -> None:
    elf = esp_application.elf(tmp_path / "app.elf", GRAPH.sha256())
    path = esp_application.application(tmp_path / "app.bin", elf)
    found = inspect_binary(path)
    assert found.format == "firmware (ESP-IDF application)"
    assert found.facts["chip"] == "esp32s3" and found.facts["entry"] == f"0x{esp_application.RODATA:08x}"
    assert found.facts["graph_sha256"] == GRAPH.sha256() and len(found.facts["elf_sha256"]) == 64
    assert [each.address for each in found.loaded] == [esp_application.RODATA]
    assert sum(found.by_kind.values()) == found.size_bytes == path.stat().st_size
    unknown = esp_application.application(tmp_path / "other.bin", elf, chip=77)
    assert inspect_binary(unknown).facts["chip"] == "number 77"


def test_what_only_begins_like_an_application_is_raw(tmp_path: Path) -> None:
    found = inspect_binary(written(tmp_path, "x.bin", b"\xe9" + bytes(99)))
    assert found.format == "firmware (raw)" and any(
        "no application descriptor" in note for note in found.notes
    )
