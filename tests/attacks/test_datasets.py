"""Hostile folders, archives and images: refused with one sentence, quickly and in little memory."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib

import numpy as np
import pytest

from tests.attacks.refusal import MEBI, refused, understate
from tests.toolchain.datasets.writers import (
    image_files,
    png,
    sample,
    write_folder,
    write_zip,
)
from toolchain.datasets import load

# Archives


def archive_with(path, name, data=b"", **fields):
    """A good archive of images with one more entry, whose header fields are set to what an attacker likes."""
    write_zip(path, image_files(*sample()))
    info = zipfile.ZipInfo(name)
    info.compress_type = fields.pop("compress_type", zipfile.ZIP_DEFLATED)
    for field, value in fields.items():
        setattr(info, field, value)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, data)
    return path


@pytest.mark.parametrize(
    "name",
    ["../x.png", "a/../../x.png", "/etc/x.png", "..\\x.png", "a\\..\\..\\x.png", "C:\\x.png", "c:x.png"],
)
def test_names_that_lead_out_of_an_archive(name, tmp_path):
    with refused("leads out of the archive"):
        load(archive_with(tmp_path / "set.zip", name, png(np.zeros((12, 9), np.uint8))))


def test_symbolic_links_in_an_archive(tmp_path):
    with refused("0/link.png' is a symbolic link"):
        load(archive_with(tmp_path / "set.zip", "0/link.png", b"/etc/passwd", external_attr=0o120777 << 16))


def test_encrypted_entries(tmp_path):
    path = archive_with(tmp_path / "set.zip", "0/x.png")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with refused("is encrypted; unpack it"):
        load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_decompressors_cannot_be_stopped(method, tmp_path):
    path = archive_with(tmp_path / "set.zip", "0/x.png", bytes(9), compress_type=method)
    with refused("other than deflate"):
        load(path)


def test_an_archive_that_unpacks_to_far_more_than_its_size(tmp_path):
    path = write_zip(tmp_path / "set.zip", image_files(*sample()) | {"0/bomb.bmp": bytes(80 * MEBI)})
    assert path.stat().st_size < MEBI
    with refused("claims to unpack to"):
        load(path)


def test_an_entry_that_inflates_to_more_than_it_declares(tmp_path):
    path = understate(archive_with(tmp_path / "set.zip", "2/bomb.png", bytes(48 * MEBI)))
    with refused("bomb.png is damaged"):
        load(path)


def test_an_entry_that_holds_less_than_it_declares(tmp_path):
    path = archive_with(tmp_path / "set.zip", "2/short.png", png(np.zeros((12, 9), np.uint8)))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 10_000)
    path.write_bytes(data)
    with refused("2/short.png is (cut short|damaged)"):
        load(path)


def test_an_entry_too_large_for_an_image(tmp_path, monkeypatch):
    path = archive_with(tmp_path / "set.zip", "2/large.png", bytes(5000))
    monkeypatch.setattr("toolchain.datasets.file_tree.MAX_FILE_BYTES", 4999)
    with refused("2/large.png has 5,000 bytes; at most 4,999"):
        load(path)


def test_an_archive_that_holds_a_name_twice(tmp_path):
    path = write_zip(tmp_path / "set.zip", image_files(*sample()))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("0/0000.png", b"")
    with refused("twice"):
        load(path)


def test_folders_without_end(tmp_path):
    with refused("32 deep"):
        load(archive_with(tmp_path / "set.zip", "0/" * 40 + "x.png"))


def test_too_many_entries(tmp_path, monkeypatch):
    monkeypatch.setattr("toolchain.datasets.archives.MAX_FILES", 29)
    with refused("30 entries; at most 29"):
        load(write_zip(tmp_path / "set.zip", image_files(*sample())))


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr("toolchain.datasets.file_tree.MAX_FILES", 29)
    with refused("more than 29 files"):
        load(write_folder(tmp_path / "set", image_files(*sample())))


# Folders


def test_links_out_of_a_folder(tmp_path):
    path = write_folder(tmp_path / "set", image_files(*sample()))
    (tmp_path / "secret.png").write_bytes(png(np.zeros((12, 9), np.uint8)))
    (path / "0" / "link.png").symlink_to("../../secret.png")
    (path / "0" / "notes.txt").symlink_to("/etc/hostname")
    with refused("0/link.png is a link out of the data set"):
        load(path)


def test_links_to_folders_and_loops(tmp_path):
    path = write_folder(tmp_path / "set", image_files(*sample()))
    (path / "0" / "loop").symlink_to(path)
    with refused("is a link to a folder"):
        load(path)
    (path / "0" / "loop").unlink()
    (path / "0" / "loop.png").symlink_to("loop.png")
    with refused("loop.png"):
        load(path)


def test_links_within_a_folder_and_to_it_are_followed(tmp_path):
    path = write_folder(tmp_path / "set", image_files(*sample()))
    (path / "0" / "again.png").symlink_to("0000.png")
    (tmp_path / "alias").symlink_to(path)
    dataset = load(tmp_path / "alias")
    assert sum(len(subset) for subset in (dataset.train, dataset.validation, dataset.test)) == 31


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_place_of_an_image_does_not_block(tmp_path):
    path = write_folder(tmp_path / "set", image_files(*sample()))
    os.mkfifo(path / "0" / "pipe.png")
    with refused("pipe.png .*is not a file"):
        load(path)


# Images


def png_of(width, height, data=b"\0"):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("sides", [(8193, 8193), (65500, 65500), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1)])
@pytest.mark.parametrize("options", [{}, {"size": 8, "channels": "grey"}])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_of_giant_dimensions(sides, options, tmp_path):
    files = image_files(*sample()) | {"0/giant.png": png_of(*sides)}
    with refused("giant.png"):
        load(write_folder(tmp_path / "set", files), **options)


def test_a_giant_file_in_place_of_an_image(tmp_path):
    path = write_folder(tmp_path / "set", image_files(*sample()))
    with (path / "0" / "giant.png").open("wb") as sparse:
        sparse.truncate(300 * MEBI)
    with refused("giant.png has 314,572,800 bytes"):
        load(path)


def test_a_program_in_place_of_an_image(tmp_path):
    # Pillow would hand PostScript to an interpreter; only the raster readers are enabled.
    files = image_files(*sample()) | {
        "0/x.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 12\nshowpage\n"
    }
    with refused("cannot decode the image .*x.png"):
        load(write_folder(tmp_path / "set", files))
