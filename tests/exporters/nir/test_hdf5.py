"""A file through the process that reads it; what a hostile one does there is in tests/attacks/test_nir.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exporters.nir import hdf5
from toolchain.errors import InputError, ToolMissingError

h5py = pytest.importorskip("h5py")


def test_paths_become_groups_within_groups() -> None:
    assert hdf5.tree({"a/b/c": 1, "a/d": 2, "e": 3}) == {"a": {"b": {"c": 1}, "d": 2}, "e": 3}
    assert hdf5.tree({}) == {}


def test_a_file_comes_back_as_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "x.nir"
    with h5py.File(path, "w") as file:
        file["node/type"] = "NIRGraph"
        file["node/weight"] = np.arange(6, dtype=np.float32).reshape(2, 3)
        file.create_group("node/empty")
    found = hdf5.read(path)
    assert found["node"].keys() == {"type", "weight"} and found["node"]["type"] == "NIRGraph"
    np.testing.assert_array_equal(found["node"]["weight"], [[0, 1, 2], [3, 4, 5]])


def test_names_that_cannot_both_be_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.nir"
    with h5py.File(path, "w") as file:
        file["a"] = "text"
    monkeypatch.setattr(
        hdf5, "_unpacked", lambda *_: {"": np.frombuffer(b'{"a": "b", "a/b": "c"}', np.uint8)}
    )
    with pytest.raises(InputError, match="is not a NIR file, or is damaged"):
        hdf5.read(path)


def test_without_its_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.nir"
    with h5py.File(path, "w"):
        pass
    monkeypatch.setattr(hdf5, "find_spec", lambda name: None)
    with pytest.raises(ToolMissingError, match=r"pip install 'spikenas-deploy\[nir\]'"):
        hdf5.read(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="is not HDF5"):
        hdf5.read(path)
