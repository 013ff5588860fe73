from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph.graph import arrays
from toolchain.graph.nodes import Lif
from toolchain.graph.storage import save_graph
from toolchain.inspecting.network import inspect_network


@pytest.mark.parametrize("seed", range(4))
def test_a_network_and_its_arrays(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    save_graph(graph, tmp_path)
    found = inspect_network(tmp_path / "model.json")
    stored = {name: array for name, array in arrays(graph) if array is not None}
    assert {tensor.name: tensor.size_bytes for tensor in found.tensors} == {
        name: array.nbytes for name, array in stored.items()
    }
    weights = sum(array.nbytes for name, array in stored.items() if name.endswith(".weight"))
    assert found.by_kind["weights"] == weights
    files = [tmp_path / "model.json", tmp_path / "model.safetensors"]
    assert sum(found.by_kind.values()) == found.size_bytes == sum(file.stat().st_size for file in files)
    assert found.operators["Lif"] == len(found.neurons) == len(list(graph.all(Lif)))
    assert found.inputs[0].shape == graph.input.extents and found.outputs[0].shape == (graph.head.classes,)
    assert found.facts["graph_sha256"] == graph.sha256() and found.notes == ()


def test_a_network_without_weights(tmp_path: Path) -> None:
    save_graph(random_graph(2), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    found = inspect_network(tmp_path / "model.json")
    assert found.tensors == () and found.neurons == ()
    assert found.notes == ("the network has no weights yet",)


def test_halves_that_do_not_belong_together(tmp_path: Path) -> None:
    graph = random_graph(2)
    save_graph(graph, tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    save_graph(replace(graph, time_steps=graph.time_steps - 1), tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(document))
    inspected = tmp_path / "model.json"
    document["labels"][0] = "another"
    inspected.write_text(json.dumps(document))
    with pytest.raises(InputError, match="do not belong together"):
        inspect_network(inspected)
