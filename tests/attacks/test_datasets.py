"""Hostile data sets: each is refused with one sentence, quickly, in little memory, and nothing is executed."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.toolchain.datasets.writers import (
    idx_bytes,
    image_files,
    png,
    sample,
    write_folder,
    write_idx,
    write_npz,
    write_zip,
)
from toolchain.datasets import load
from toolchain.errors import InputError

MEBI = 1024**2


@contextlib.contextmanager
def refused(words, most_bytes=16 * MEBI):
    """The block raises ``InputError`` in one line and allocates no more than ``most_bytes`` at a time."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=words) as caught:
            yield
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


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


@pytest.mark.parametrize("kind", ["image", "array"])
def test_an_entry_that_inflates_to_more_than_it_declares(kind, tmp_path):
    if kind == "image":
        path = archive_with(tmp_path / "set.zip", "2/bomb.png", bytes(48 * MEBI))
    else:
        header = HEADER % ("'|u1'", "(30, 12, 9)")
        path = npz_of(tmp_path / "set.npz", labels=npy(header, bytes(48 * MEBI)))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path.write_bytes(data)
    with refused("(bomb.png|labels.npy) is damaged"):
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


# IDX


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "shape", [(2**32 - 1, 1, 1), (2**31, 2**31, 2**31), (60000, 4096, 4096), (30, 12, 10)]
)
def test_an_idx_header_that_claims_more_than_the_file(packed, shape, tmp_path):
    path = write_idx(tmp_path / "set", sample(), packed=packed)
    data = bytearray(idx_bytes(sample()[0]))
    data[4:16] = struct.pack(">III", *shape)
    name = "train-images-idx3-ubyte"
    (path / (name + ".gz" * packed)).write_bytes(gzip.compress(bytes(data)) if packed else bytes(data))
    with refused("train-images.*(too short|shorter)"):
        load(path)


def test_an_idx_that_inflates_to_more_than_its_header_says(tmp_path):
    path = write_idx(tmp_path / "set", sample(), packed=True)
    bomb = idx_bytes(sample()[0]) + bytes(100 * MEBI)
    (path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bomb, 1))
    del bomb
    with refused("longer than"):
        load(path)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_true_idx_bomb_is_held_against_the_memory(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("toolchain.datasets.limits.memory_limit_bytes", lambda: MEBI)
    path = write_idx(tmp_path / "set", sample(), packed=True)
    shape = (2 * MEBI, 1, 1)[: 3 if kind == "images" else 1]
    name = f"train-{kind}-idx{len(shape)}-ubyte.gz"
    (path / name).write_bytes(gzip.compress(idx_bytes(np.zeros(shape, np.uint8))))
    with refused(f"{kind}.* memory"):
        load(path)


# numpy archives


class Planted:
    """Unpickling this leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def npy(header, data=b"", version=b"\x01\x00"):
    text = header.encode("latin1") + b"\n"
    return (
        b"\x93NUMPY"
        + version
        + struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
        + text
        + data
    )


def npz_of(path, images=None, labels=None):
    good = dict(zip(("images", "labels"), (io.BytesIO(), io.BytesIO()), strict=True))
    for (_, stream), array in zip(good.items(), sample(), strict=True):
        np.save(stream, array)
    contents = {name: stream.getvalue() for name, stream in good.items()}
    contents |= {name: data for name, data in (("images", images), ("labels", labels)) if data is not None}
    return write_zip(path, {f"{name}.npy": data for name, data in contents.items()})


@pytest.mark.parametrize("which", ["images", "labels"])
def test_python_objects_are_never_unpickled(which, tmp_path):
    arrays = dict(zip(("images", "labels"), sample(), strict=True))
    arrays[which] = np.array([Planted(tmp_path / "planted")] * 30, dtype=object)
    np.savez(tmp_path / "set.npz", **arrays)
    with refused(f"{which}.*(Python objects|plain numpy)"):
        load(tmp_path / "set.npz")
    assert not (tmp_path / "planted").exists()


def test_a_bare_pickle_in_place_of_an_array(tmp_path):
    with refused("not a plain numpy array"):
        load(npz_of(tmp_path / "set.npz", images=pickle.dumps(Planted(tmp_path / "planted"))))
    assert not (tmp_path / "planted").exists()


HEADER = "{'descr': %s, 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "header",
    [
        HEADER % ("'|u1'", "(4294967296, 4294967296, 4294967296)"),
        HEADER % ("'|u1'", f"({10**400}, 1, 1)"),
        HEADER % ("'|u1'", "(60000, 4096, 4096)"),
        HEADER % ("'|u1'", "(-30, -12, 9)"),
        HEADER % ("'|u1'", "(30, 12, 10)"),
        HEADER % ("'|u1'", "(200, 1000, 1000)"),
        HEADER % ("'|u1'", "(True, True, 3240)"),
        HEADER % ("'|u1'", "[30, 12, 9]"),
        HEADER % ("'<U2147483647'", "(1, 1, 1)"),
        HEADER % ("'|V0'", "(30, 12, 9)"),
        HEADER % ("[('a', '|O')]", "(30, 12, 9)"),
        HEADER % ("'|u1'", "__import__('os').getcwd()"),
        HEADER % ("'|u1'", "(" * 200 + ")" * 200),
        HEADER % ("'|u1'", "1L, '''"),
        "{" * 5000,
        "x" * 60000,
        "",
    ],
    ids=lambda header: header[:80],
)
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"])
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::UserWarning")
def test_array_headers_that_lie(header, version, tmp_path):
    data = npy(header, bytes(30 * 12 * 9), version)
    with refused("images"):
        load(npz_of(tmp_path / "set.npz", images=data))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["zip", "npz", "idx", "gz"]))
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes_are_refused_or_harmless(data, kind, tmp_path):
    path = tmp_path / kind
    if kind == "zip":
        file = write_zip(path, image_files(*sample(per_class=3)))
    elif kind == "npz":
        file = write_npz(path, sample(per_class=3))
        file = path.with_suffix(".npz")
        path = file
    else:
        write_idx(path, sample(per_class=3), packed=kind == "gz")
        file = path / ("train-images-idx3-ubyte" + ".gz" * (kind == "gz"))
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    with contextlib.suppress(InputError):
        load(path)
