"""Firmware files of PX4 and ArduPilot: read, and refused before they cost anything."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from pathlib import Path

import pytest

from toolchain.errors import InputError
from toolchain.flashing.bundle import MAX_IMAGE_BYTES, read_bundle

IMAGE = bytes(range(256)) * 40


def text(image: bytes) -> str:
    return base64.b64encode(zlib.compress(image)).decode()


def written(folder: Path, **changes: object) -> Path:
    document = {"board_id": 56, "image_size": len(IMAGE), "image": text(IMAGE), "summary": "x"}
    path = folder / "a.px4"
    path.write_text(
        json.dumps({key: value for key, value in (document | changes).items() if value != "left out"})
    )
    return path


def test_image_and_board(tmp_path: Path) -> None:
    found = read_bundle(written(tmp_path, extf_image_size=0))
    assert (found.image, found.board) == (IMAGE, 56)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image_size": 0}, "claims an image of 0 bytes"),
        ({"image_size": MAX_IMAGE_BYTES + 1}, "claims an image of"),
        ({"image_size": -4}, "image_size is -4"),
        ({"image_size": True}, "image_size is True"),
        ({"image_size": len(IMAGE) - 1}, "its image has another"),
        ({"image_size": len(IMAGE) + 1}, "its image has another"),
        ({"board_id": "56"}, "board_id is '56'"),
        ({"board_id": "left out"}, "board_id is None"),
        ({"image": "left out"}, "it has no image"),
        ({"image": "@@@"}, "damaged image"),
        ({"image": base64.b64encode(b"no zlib").decode()}, "damaged image"),
        ({"image": text(IMAGE)[:100]}, "its image has another"),
        ({"extf_image_size": 12}, "outer flash"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_bundle(written(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_firmware_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.apj").write_bytes(content)
    with pytest.raises(InputError, match="is no firmware file"):
        read_bundle(tmp_path / "a.apj")


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = written(tmp_path, image=text(bytes(100 * 1024 * 1024)), image_size=1000)
    tracemalloc.start()
    with pytest.raises(InputError, match="its image has another"):
        read_bundle(path)
    assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    tracemalloc.stop()
