"""Hostile firmware files for hosted boards: each ends in one sentence, soon and without much memory."""

from __future__ import annotations

import json
import random
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.refusal import MEBI, refused
from tests.support import esp_application, flight
from toolchain.errors import SpikenasError
from toolchain.flashing.bundle import read_bundle
from toolchain.flashing.esp_image import parse
from toolchain.flashing.flight import flight_firmware
from toolchain.profiles import load

HASH = "5a" * 32
BUDGET_S = 5


def mutations(content: bytes, count: int) -> list[bytes]:
    """Copies of ``content`` with a few bytes changed, cut off, or repeated."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(min(len(changed), 600))] = rng.choice((0, 0xFF, rng.randrange(256)))
        if rng.random() < 0.3:
            del changed[rng.randrange(len(changed)) :]
        found.append(bytes(changed))
    return found


def held(work: Callable[[], object]) -> None:
    """Whatever comes of it, it is one sentence or a result."""
    try:
        work()
    except SpikenasError as error:
        assert "\n" not in str(error) and len(str(error)) < 600


def test_changed_applications_and_their_elf(tmp_path: Path) -> None:
    elf = esp_application.elf(tmp_path / "app.elf", HASH)
    binary = esp_application.application(tmp_path / "app.bin", elf)
    began, board = time.monotonic(), load("esp32s3")
    for content in mutations(binary.read_bytes(), 150):
        held(partial(parse, binary, content))
    for content in mutations(elf.read_bytes(), 150):
        broken = tmp_path / "broken.elf"
        broken.write_bytes(content)
        file = tmp_path / "broken.bin"
        if content.count(struct.pack("<I", 0xABCD5432)) and len(content) > 600:
            esp_application.application(file, broken)
            held(partial(flight_firmware, file, broken, board, HASH))
    assert time.monotonic() - began < BUDGET_S


def test_changed_bundles(tmp_path: Path) -> None:
    (tmp_path / "cf2.bin").write_bytes(bytes(1000))
    path = flight.bundle(tmp_path / "cf2.bin", 56)
    began = time.monotonic()
    for content in mutations(path.read_bytes(), 200):
        path.write_bytes(content)
        held(partial(read_bundle, path))
    assert time.monotonic() - began < BUDGET_S


def test_sections_that_are_all_the_same_bytes_are_not_multiplied(tmp_path: Path) -> None:
    size, count = 8 * MEBI, 4000
    address = 0x0800_4000
    names, body = b"\0.text\0", bytes(size)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        b"\x7fELF\x01\x01\x01",
        2,
        40,
        1,
        address,
        52,
        84 + size + 8,
        0,
        52,
        32,
        1,
        40,
        count + 2,
        1,
    )
    segment = struct.pack("<8I", 1, 84, address, address, size, size, 5, 4)
    sections = bytes(40) + struct.pack("<10I", 1, 3, 0, 0, 84 + size, len(names), 0, 0, 1, 0)
    sections += struct.pack("<10I", 1, 1, 2, address, 84, size, 0, 0, 4, 0) * count
    elf, binary = tmp_path / "a.elf", tmp_path / "cf2.bin"
    elf.write_bytes(header + segment + body + names.ljust(8, b"\0") + sections)
    binary.write_bytes(body)
    began = time.monotonic()
    with refused("loads nothing, or more than", 64 * MEBI):
        flight_firmware(binary, elf, load("crazyflie_2_1"), HASH)
    assert time.monotonic() - began < BUDGET_S


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_a_deep_bundle(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "deep.px4"
    path.write_text('{"image":' + "[" * depth + "]" * depth + "}")
    with refused("is no firmware file", 64 * MEBI):
        read_bundle(path)


def test_a_bundle_with_huge_numbers(tmp_path: Path) -> None:
    path = tmp_path / "huge.apj"
    path.write_text(json.dumps({"image": "", "board_id": 10**4000, "image_size": 10**4000}))
    with refused("is no firmware file: image_size is 1000", 64 * MEBI):
        read_bundle(path)
