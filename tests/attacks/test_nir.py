"""Hostile NIR files: HDF5 that reaches outside, declares what is not there, or runs in circles."""

from __future__ import annotations

import io
import os
import resource
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporters.nir import build, hdf5, unpack
from exporters.nir.read import load
from tests.attacks.artifacts import GRAPH
from toolchain.errors import InputError

h5py = pytest.importorskip("h5py")
pytest.importorskip("nir")

GIBI = 1024**3
VALID = build(GRAPH, "board")


def attacked(change: Callable[[Any], Any]) -> bytes:
    stream = io.BytesIO(VALID)
    with h5py.File(stream, "r+") as file:
        change(file)
    return stream.getvalue()


def refused(path: Path, content: bytes) -> str:
    """The sentence that refuses the file, within the time and the memory that are promised."""
    path.write_bytes(content)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.process_time()
    with pytest.raises(InputError) as caught:
        load(path)
    # Processor time, because other tests run beside this one.
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert theirs + time.process_time() - started < 4
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < GIBI
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence and len(sentence) < 600 and sentence.isprintable()
    return sentence


def external_link(file: Any) -> None:
    del file["node/nodes"]
    file["node/nodes"] = h5py.ExternalLink("/etc/passwd", "/node")


def soft_link(file: Any) -> None:
    file["node/nodes/more"] = h5py.SoftLink("/node")


def cycle(file: Any) -> None:
    file["node/nodes/more"] = file["node"]


def alias(file: Any) -> None:
    file["node/copy"] = file["node/edges"]


def external_storage(file: Any) -> None:
    file.create_dataset("node/secret", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((100,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "node", (100,))
    file.create_virtual_dataset("node/secret", layout)


def reference(file: Any) -> None:
    file.create_dataset("node/pointer", data=file["node/edges"].ref, dtype=h5py.ref_dtype)


def compound(file: Any) -> None:
    file.create_dataset("node/table", data=np.zeros(3, [("a", "f4"), ("b", "i4")]))


def opaque(file: Any) -> None:
    file.create_dataset("node/blob", data=np.void(b"\x80\x04pickle"))


def nested_numbers(file: Any) -> None:
    file.create_dataset("node/ragged", (3,), h5py.vlen_dtype(np.float64))


def named_type(file: Any) -> None:
    file["node/kind"] = np.dtype("f4")


def bomb(file: Any) -> None:
    """Three gigabytes of zeros in a few kilobytes."""
    file.create_dataset("node/zeros", (3 * GIBI,), "u1", chunks=(1 << 20,), compression="gzip", fillvalue=0)


def written_bomb(file: Any) -> None:
    zeros = file.create_dataset("node/zeros", (256, 1 << 20), "u1", chunks=(1, 1 << 20), compression="gzip")
    for row in range(0, 256, 16):
        zeros[row] = 0


def many_bombs(file: Any) -> None:
    """Each within the limit, all together far above it."""
    for index in range(40):
        file.create_dataset(
            f"node/zeros{index}", (100, 1 << 20), "u1", chunks=(1, 1 << 20), compression="gzip"
        )


def enormous_chunk(file: Any) -> None:
    file.create_dataset("node/zeros", (1,), "u1", chunks=(GIBI,), maxshape=(None,), compression="gzip")


def absurd_shape(file: Any) -> None:
    file.create_dataset("node/zeros", (2**31, 2**31), "f8", chunks=(1, 1))


def many_axes(file: Any) -> None:
    file.create_dataset("node/zeros", (1,) * 20, "u1")


def repeated_text(file: Any) -> None:
    texts = file.create_dataset("node/texts", (unpack.MAX_TEXTS + 1,), h5py.string_dtype())
    texts[:2] = "x" * 1000


def long_text(file: Any) -> None:
    file.create_dataset("node/text", data="x" * (17 << 20))


def crowd(file: Any) -> None:
    for index in range(unpack.MAX_OBJECTS + 1):
        file["node"].create_group(str(index))


def one_by_one(file: Any) -> None:
    """No group has many members, and there are many groups."""
    for index in range(unpack.MAX_OBJECTS):
        file["node"].create_group(f"{index}/{index}")


def deep(file: Any) -> None:
    file.create_group("node" + "/a" * (unpack.MAX_DEPTH + 1))


def control_characters(file: Any) -> None:
    file.create_group("node/\x1b]0;owned\x07")


def other_filter(file: Any) -> None:
    """A filter that HDF5 would load a library for."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4,))
    properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file["node"].id, b"packed", h5py.h5t.NATIVE_FLOAT, space, properties)


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (external_link, "has a link in place of 'node/nodes'"),
        (soft_link, "has a link in place of 'node/nodes/more'"),
        (cycle, "in two places"),
        (alias, "in two places"),
        (external_storage, "keeps 'node/secret' outside itself"),
        (virtual, "keeps 'node/secret' outside itself"),
        (reference, "holds neither numbers nor text"),
        (compound, "holds neither numbers nor text"),
        (opaque, "holds neither numbers nor text"),
        (nested_numbers, "holds neither numbers nor text"),
        (named_type, "neither a group nor an array"),
        (bomb, "holds more than 134,217,728 bytes"),
        (written_bomb, "holds more than 134,217,728 bytes"),
        (many_bombs, "holds more than 134,217,728 bytes"),
        (enormous_chunk, "holds more than 134,217,728 bytes"),
        (absurd_shape, "holds more than 134,217,728 bytes"),
        (many_axes, "more than 5 axes"),
        (repeated_text, "more than 40,000 texts"),
        (long_text, "has too long a text"),
        (crowd, "has more than 150 objects"),
        (one_by_one, "has more than 150 objects"),
        (deep, "nests groups deeper than 8"),
        (control_characters, "not printable"),
        (other_filter, "packed by a filter other than gzip"),
    ],
)
def test_hdf5_that_reaches_for_more(
    attack: Callable[[Any], None], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the process around it, so that it is the check that refuses."""
    monkeypatch.setattr(unpack, "MAX_OBJECTS", 150)
    content = attacked(attack)
    tracemalloc.start()
    try:
        with pytest.raises(unpack.Refused, match=reason) as caught:
            unpack.collect(content)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("attack", "reason"),
    [(external_link, "has a link in place of 'node/nodes'"), (bomb, "holds more than 134,217,728 bytes")],
)
def test_what_the_user_is_told(attack: Callable[[Any], None], reason: str, tmp_path: Path) -> None:
    sentence = refused(tmp_path / "model.nir", attacked(attack))
    assert reason in sentence and sentence.endswith("; export it again")


def test_what_is_no_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "model.nir"
    for content in (b"", b"\0" * 64, b"TFL3" * 20, b"PK\x03\x04" + bytes(60)):
        assert "is not HDF5" in refused(path, content)
    assert "is damaged" in refused(path, VALID[:8] + bytes(500))
    path.unlink()
    with pytest.raises(InputError, match="does not exist"):
        load(path)
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a file"):
        load(path)


def test_truncated_and_damaged_files(tmp_path: Path) -> None:
    """Each in one process, because a process a file would take minutes; the next test is of what a process adds."""
    rng = np.random.default_rng(0)
    refusals = 0
    for index in range(60):
        content = bytearray(VALID)
        if index % 3 == 0:
            content = content[: rng.integers(9, len(content))]
        else:
            for place in rng.integers(9, len(content), rng.integers(1, 4)):
                content[place] = rng.integers(256)
        try:
            unpack.collect(bytes(content))
        except unpack.Refused as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals >= 20


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os; os.abort()", "damaged in a way that HDF5 cannot read"),
        ("while True: pass", "damaged in a way that HDF5 cannot read"),
        ("bytearray(1 << 30)", "takes more memory than a network does"),
    ],
)
def test_a_library_that_crashes_hangs_or_devours(
    body: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """h5py is replaced by one that does what the C library might be brought to do."""
    (tmp_path / "h5py.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert reason in refused(tmp_path / "model.nir", VALID)


def test_a_reader_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "h5py.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(hdf5, "MAX_WAIT_S", 1.0)
    assert "takes too long to read" in refused(tmp_path / "model.nir", VALID)
