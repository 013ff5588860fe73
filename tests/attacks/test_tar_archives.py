"""Hostile tar archives in place of CIFAR: refused, with nothing written and little memory taken."""

from __future__ import annotations

import contextlib
import gzip
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.refusal import MEBI, refused
from tests.toolchain.datasets.writers import cifar_files, tar_member, write_tar
from toolchain.datasets import load
from toolchain.errors import InputError

FILES, _ = cifar_files(10, per_class=2)
BATCH = "cifar-10-batches-bin/data_batch_1.bin"


@contextlib.contextmanager
def nothing_written(folder):
    before = sorted(folder.rglob("*"))
    yield
    assert sorted(folder.rglob("*")) == before


def attack(tmp_path, words, more, packed=True):
    path = write_tar(tmp_path / "set.tar.gz", FILES, packed, more)
    with nothing_written(tmp_path.parent), refused(words):
        load(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "..\\x", "C:\\x", "cifar-10-batches-bin/../x"]
)
def test_names_that_lead_out(name, packed, tmp_path):
    attack(tmp_path, "leads out of the archive", tar_member(name, b"x"), packed)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"Q"]
)
def test_links_and_devices(kind, tmp_path):
    attack(
        tmp_path,
        "is a link or another special file",
        tar_member("cifar-10-batches-bin/readme.html", type=kind, linkname="/etc/passwd"),
    )


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("cifar-10-batches-bin/readme.html", 1 << 62, "claims 4,611,686,018,427,387,904 bytes"),
        ("cifar-10-batches-bin/readme.html", -512, "claims -512 bytes|damaged"),
        ("cifar-10-batches-bin/readme.html", 200 * MEBI, "damaged or cut short"),
        (BATCH, 60_001 * 3073, "data_batch_1.bin has 184,383,073 bytes, more than cifar-10's"),
        ("cifar-10-batches-bin/batches.meta.txt", 65 * 1024, "batches.meta.txt has 66,560 bytes"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_sizes_that_a_header_claims(name, size, words, packed, tmp_path):
    attack(tmp_path, words, tar_member(name, size=size), packed)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("size", [200 * MEBI, 1 << 60, -512])
def test_headers_that_would_be_read_whole(kind, size, tmp_path):
    attack(tmp_path, "header that claims|damaged", tar_member("x", type=kind, size=size))


def test_a_chain_of_headers_without_end(tmp_path):
    attack(tmp_path, "damaged", tar_member("x", type=tarfile.XHDTYPE) * 5000)


def test_sparse_members(tmp_path):
    attack(tmp_path, "special file|damaged", tar_member(BATCH, bytes(512), type=tarfile.GNUTYPE_SPARSE))


def test_too_many_members(tmp_path):
    attack(tmp_path, "more than 64 members", b"".join(tar_member(f"x{i}") for i in range(100)))


def test_a_member_twice(tmp_path):
    attack(tmp_path, "data_batch_1.bin twice", tar_member(BATCH, bytes(3073)))


def test_what_inflates_to_more_than_a_cifar(tmp_path):
    path = tmp_path / "set.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(tar_member("readme", size=260 * MEBI))
        for _ in range(261):
            stream.write(bytes(MEBI))
    with nothing_written(tmp_path), refused("readme' claims 272,629,760 bytes"):
        load(path)


def test_what_inflates_without_end_behind_the_archive(tmp_path):
    path = write_tar(tmp_path / "set.tar.gz", FILES)
    with path.open("ab") as raw, gzip.open(raw, "wb", compresslevel=1) as stream:
        for _ in range(260):
            stream.write(bytes(MEBI))
    with nothing_written(tmp_path), refused("unpacks to more than the 268,435,456 bytes"):
        load(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_that_is_cut_short(share, packed, tmp_path):
    path = write_tar(tmp_path / "set.tar.gz", FILES, packed)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with nothing_written(tmp_path), refused("damaged or cut short|lacks"):
        load(path)


def test_damage_that_only_the_checksum_shows(tmp_path):
    path = write_tar(tmp_path / "set.tar.gz", FILES)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with refused("damaged or cut short .*CRC"):
        load(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), packed=st.booleans())
def test_flipped_bytes_are_refused_or_harmless(data, packed, tmp_path):
    path = write_tar(tmp_path / "set.tar.gz", FILES, packed)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of an archive is pixels: headers, the first and last blocks, are what matters.
        place = data.draw(st.integers(0, min(2048, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with nothing_written(tmp_path), contextlib.suppress(InputError):
        load(path)
