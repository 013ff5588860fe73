from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from exporters.nir import build
from exporters.nir.lowering import lower
from tests.support.graphs import random_graph
from tests.support.models import written
from toolchain.errors import InputError
from toolchain.graph.nodes import Lif
from toolchain.inspecting.nir_file import inspect_nir

nir = pytest.importorskip("nir")
h5py = pytest.importorskip("h5py")


def test_our_files_are_told_as_nir_reads_them(tmp_path: Path) -> None:
    graph = random_graph(2)
    found = inspect_nir(written(tmp_path, "model.nir", build(graph, "board")))
    nodes = lower(graph, "board").nodes
    assert sum(found.operators.values()) == len(nodes)
    assert found.operators["LIF"] == sum(type(node).__name__ == "LIF" for node in nodes.values())
    assert [(value.name, value.shape) for value in found.inputs] == [("pixels", tuple(graph.input.shape))]
    assert len(found.outputs) == 1 and len(found.states) == found.operators["LIF"]
    sizes = {tensor.name: tensor.size_bytes for tensor in found.tensors}
    assert sizes["head.weight"] == nodes["head"].weight.nbytes
    assert {tensor.kind for tensor in found.tensors if tensor.name.endswith(".weight")} == {"weights"}
    assert sum(found.by_kind.values()) == found.size_bytes
    assert found.facts["graph_sha256"] == graph.sha256()
    assert [told.node for told in found.neurons] == [node.name for node in graph.all(Lif)]


def test_a_foreign_file(tmp_path: Path) -> None:
    stream = io.BytesIO()
    nir.write(stream, nir.NIRGraph.from_list(nir.Linear(weight=np.ones((3, 5)))))
    found = inspect_nir(written(tmp_path, "other.nir", stream.getvalue()))
    assert found.operators["Linear"] == 1 and found.neurons == ()
    assert [(tensor.shape, tensor.kind) for tensor in found.tensors if tensor.name.endswith("weight")] == [
        ((3, 5), "weights")
    ]


def test_compressed_arrays_are_told_as_such(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("node/nodes/a/weight", data=np.zeros(100_000), compression="gzip")
    found = inspect_nir(written(tmp_path, "small.nir", stream.getvalue()))
    assert found.tensors[0].size_bytes == 800_000 > found.size_bytes == found.by_kind["structure"]
    assert "compressed" in found.notes[0]


def test_hdf5_that_is_no_nir(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["node"] = np.zeros(3)
    with pytest.raises(InputError, match="is HDF5, but holds no NIR graph"):
        inspect_nir(written(tmp_path, "other.nir", stream.getvalue()))
    with pytest.raises(InputError, match="is not a NIR file"):
        inspect_nir(written(tmp_path, "text.nir", b"hello"))
