from __future__ import annotations

from pathlib import Path

from tests.support.load_files import block, uf2_file
from toolchain.verification.elf import Segment
from toolchain.verification.uf2_file import families, read_uf2

FLASH = 0x1000_0000


def written(folder: Path, content: bytes) -> Path:
    path = folder / "firmware.uf2"
    path.write_bytes(content)
    return path


def test_blocks_in_any_order_are_joined(tmp_path: Path) -> None:
    blocks = [block(FLASH + 256 * index, bytes([index]) * 256, index, 3) for index in range(3)]
    path = written(tmp_path, blocks[2] + blocks[0] + blocks[1])
    content = b"".join(bytes([index]) * 256 for index in range(3))
    assert read_uf2(path).segments == (Segment(FLASH, FLASH, 768, content),)


def test_several_families_count_their_own_blocks(tmp_path: Path) -> None:
    other = uf2_file([(0x2000, b"abcd")], family=0x1234)
    path = written(tmp_path, uf2_file([(FLASH, b"x" * 256), (FLASH + 256, b"y" * 10)]) + other)
    assert [(s.load_address, len(s.data)) for s in read_uf2(path).segments] == [(0x2000, 4), (FLASH, 266)]
    assert families(path) == [0x1234, 0xE48BFF56]


def test_what_does_not_go_to_flash_is_passed_over(tmp_path: Path) -> None:
    path = written(
        tmp_path, block(0, b"notes", 0, 2, flags=0x2001) + block(FLASH, b"code", 1, 2, flags=0x2000)
    )
    assert [s.load_address for s in read_uf2(path).segments] == [FLASH]


def test_the_lone_block_before_an_rp2350_image(tmp_path: Path) -> None:
    erratum = block(0x10FF_FF00, b"\xef" * 256, 0, 2, family=0xE48BFF57)
    path = written(tmp_path, erratum + uf2_file([(FLASH, b"code")], family=0xE48BFF59))
    assert [s.load_address for s in read_uf2(path).segments] == [FLASH]
    assert families(path) == [0xE48BFF59]
    assert families(written(tmp_path, block(FLASH, b"code", 0, 1, flags=0))) == []
