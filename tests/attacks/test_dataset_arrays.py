"""Hostile IDX files and numpy archives, and damage to any format: refused, and nothing is executed."""

from __future__ import annotations

import contextlib
import gzip
import io
import pickle
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.refusal import MEBI, refused, understate
from tests.toolchain.datasets.writers import (
    idx_bytes,
    image_files,
    sample,
    write_idx,
    write_npz,
    write_zip,
)
from toolchain.datasets import load
from toolchain.errors import InputError

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


def test_nor_are_objects_among_numbers(tmp_path):
    planted = np.array([Planted(tmp_path / "planted")] * 30, dtype=object)
    for name in ("targets", "labels"):
        arrays = {"images": sample()[0], "targets": np.arange(30.0), name: planted}
        np.savez(tmp_path / "set.npz", **arrays)
        with refused(f"{name}.*(Python objects|plain numpy)"):
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


def test_an_array_that_inflates_to_more_than_its_entry_declares(tmp_path):
    header = HEADER % ("'|u1'", "(30, 12, 9)")
    path = understate(npz_of(tmp_path / "set.npz", labels=npy(header, bytes(48 * MEBI))))
    with refused("labels.npy is damaged"):
        load(path)


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
