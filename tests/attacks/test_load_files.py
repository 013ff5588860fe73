"""Hostile Intel HEX and UF2 files: every one ends in one sentence and exit code 3, soon and without much memory."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.attacks.refusal import MEBI, refused
from tests.support.load_files import END, block, hex_file, record, uf2_file
from toolchain.cli.main import main
from toolchain.errors import InputError
from toolchain.verification.hex_file import MAX_HEX_BYTES, MAX_RECORDS, read_hex
from toolchain.verification.loaded_ranges import MAX_RANGES
from toolchain.verification.uf2_file import MAX_UF2_BYTES, read_uf2

FLASH = 0x0800_0000
GOOD_HEX = hex_file([(FLASH, bytes(range(200)))])

HEX = {
    "empty": (b"", "the record that ends it is missing"),
    "text": (b"hello\n", "line 1 is no record"),
    "no hex digits": (b":00000001ZZ\n", "line 1 is no record"),
    "odd digits": (b":00000001F\n", "line 1 is no record"),
    "white space within": (b":0000 0001FF\n", "line 1 is no record"),
    "beyond ASCII": (":００000001FF\n".encode(), "line 1 is no record"),
    "a sign": (b":+0000001FF\n", "line 1 is no record"),
    "too short": (b":0000\n", "line 1 is not as long as it says"),
    "claims more than it has": (b":FF00000000\n", "line 1 is not as long as it says"),
    "has more than it claims": (b":0000000000FF\n", "line 1 is not as long as it says"),
    "a very long line": (b":" + b"00" * MEBI, "line 1 is no record"),
    "wrong checksum": (record(0, 0, b"ab", checksum=1) + END, "line 1 has a wrong checksum"),
    "unknown kind": (record(6, 0, b"") + END, "a kind or a length that no record has"),
    "short base address": (record(4, 0, b"\x08") + END, "a kind or a length that no record has"),
    "over its window": (record(0, 0xFFFF, b"ab") + END, "line 1 runs over the end of its 64 KiB window"),
    "no end": (GOOD_HEX[: -len(END)], "the record that ends it is missing, so it is truncated"),
    "cut within a record": (GOOD_HEX[:-20], "line 2 is (no record|not as long)"),
    "more behind the end": (GOOD_HEX + GOOD_HEX, "line 4 comes after the record that ends it"),
    "the same byte twice": (
        hex_file([(FLASH, bytes(16)), (FLASH + 15, bytes(2))]),
        "it gives the bytes at 0x0800000f twice",
    ),
    "nothing at all": (END, "it loads nothing"),
    "too many lines": (b"\n" * (MAX_RECORDS + 1), "more than 600,000 lines"),
    "too many pieces": (
        b"".join(record(0, 4 * index, b"x") for index in range(MAX_RANGES + 2)) + END,
        "more than 4,096 pieces",
    ),
}  # fmt: skip

UF2 = {
    "empty": (b"", "0 bytes are not whole blocks of 512"),
    "cut within a block": (uf2_file([(0, b"x" * 256)] * 1)[:-1], "511 bytes are not whole blocks"),
    "zeros": (bytes(512), "block 0 does not begin and end as one"),
    "no end": (block(0, b"x", 0, 1, last=0), "block 0 does not begin and end as one"),
    "second magic number": (block(0, b"x", 0, 1, second=0), "block 0 does not begin and end as one"),
    "no payload": (block(0, b"", 0, 1), "block 0 claims 0 bytes"),
    "huge payload": (block(0, b"x", 0, 1, size=0xFFFF_FFFF), "block 0 claims 4,294,967,295 bytes"),
    "payload over the end": (block(0, b"x", 0, 1, size=477), "block 0 claims 477 bytes"),
    "beyond the address space": (block(0xFFFF_FFFF, b"xy", 0, 1), "2 bytes at 0xffffffff"),
    "number beyond the count": (block(0, b"x", 1, 1), "block 0 calls itself 1 of 1"),
    "no blocks by its count": (block(0, b"x", 0, 0), "block 0 calls itself 0 of 0"),
    "huge count": (block(0, b"x", 0, 0xFFFF_FFFF), "4,294,967,294 of its blocks are missing"),
    "counts that differ": (block(0, b"x", 0, 2) + block(9, b"x", 1, 3), "block 1 calls itself 1 of 3"),
    "a block twice": (block(0, b"x", 0, 2) + block(9, b"x", 0, 2), "block 1 comes twice"),
    "a block missing": (block(0, b"x", 0, 2), "1 of its blocks are missing, so it is truncated"),
    "the same byte twice": (uf2_file([(0, b"xx"), (1, b"xx")]), "it gives the bytes at 0x00000001 twice"),
    "nothing for flash": (block(0, b"x", 0, 1, flags=1), "it loads nothing"),
    "too many pieces": (
        uf2_file([(512 * index, b"x") for index in range(MAX_RANGES + 2)]),
        "more than 4,096 pieces",
    ),
}  # fmt: skip

READERS = {".hex": read_hex, ".uf2": read_uf2}
CASES = [(".hex", name, *case) for name, case in HEX.items()] + [
    (".uf2", name, *case) for name, case in UF2.items()
]


@pytest.mark.parametrize(
    ("ending", "content", "words"), [(e, c, w) for e, _, c, w in CASES], ids=[c[1] for c in CASES]
)
def test_a_broken_file_is_refused(tmp_path: Path, ending: str, content: bytes, words: str) -> None:
    path = tmp_path / f"hostile{ending}"
    path.write_bytes(content)
    with refused(words, most_bytes=64 * MEBI):
        READERS[ending](path)


@pytest.mark.parametrize(("ending", "most"), [(".hex", MAX_HEX_BYTES), (".uf2", MAX_UF2_BYTES)])
def test_a_huge_file_is_refused_unread(tmp_path: Path, ending: str, most: int) -> None:
    path = tmp_path / f"hostile{ending}"
    with path.open("wb") as stream:
        stream.truncate(most + 1)
    with refused(f"more than the {most:,} that are read here"):
        READERS[ending](path)


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff" * 512, b":" * 1024])
@pytest.mark.parametrize("verb", ["check", "inspect"])
def test_verbs_end_in_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ending: str, content: bytes, verb: str
) -> None:
    path = tmp_path / f"hostile{ending}"
    path.write_bytes(content)
    code = main([verb, str(path), *(["--profile", "stm32f405"] if verb == "check" else [])])
    captured = capsys.readouterr()
    assert (code, captured.out) == (3, "")
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1


def test_the_most_records_that_are_read_take_no_time(tmp_path: Path) -> None:
    """One byte a record, each its own piece: as many records as are allowed, and as bad as they get."""
    path = tmp_path / "hostile.hex"
    path.write_bytes(record(0, 0, b"x") * (MAX_RECORDS - 1))
    began = time.process_time()
    with pytest.raises(InputError, match="the record that ends it is missing"):
        read_hex(path)
    assert time.process_time() - began < 4


@pytest.mark.parametrize("ending", READERS)
def test_damaged_files_are_refused_or_harmless(tmp_path: Path, ending: str) -> None:
    rng, path = random.Random(0), tmp_path / f"hostile{ending}"
    chunks = [(FLASH + 256 * index, bytes(rng.randbytes(250))) for index in range(20)]
    good = hex_file(chunks) if ending == ".hex" else uf2_file(chunks)
    refusals = 0
    for _ in range(200):
        damaged = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])
        try:
            READERS[ending](path)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > 100
