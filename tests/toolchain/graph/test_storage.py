from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.graphs import of_numbers, random_graph, random_images, with_wrong_weight
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.nodes import Lif
from toolchain.graph.storage import description, from_description, load_graph, save_graph


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_saved_is_what_is_loaded(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("model")
    graph = random_graph(seed)
    save_graph(graph, folder)
    loaded = load_graph(folder)
    assert loaded.sha256() == graph.sha256()
    images = random_images(graph, 2)
    assert (reference.scores(loaded, images) == reference.scores(graph, images)).all()


def test_the_hash_sees_one_changed_weight() -> None:
    graph = random_graph(3)
    assert with_wrong_weight(graph).sha256() != graph.sha256()


def test_arrays_of_another_model_are_refused(tmp_path: Path) -> None:
    graph = random_graph(3)
    save_graph(with_wrong_weight(graph), tmp_path / "other")
    save_graph(graph, tmp_path / "model")
    other = (tmp_path / "other" / "model.safetensors").read_bytes()
    (tmp_path / "model" / "model.safetensors").write_bytes(other)
    with pytest.raises(InputError, match="do not belong together"):
        load_graph(tmp_path / "model")


def test_bits_go_without_saying_if_they_are_8() -> None:
    """So that files and hashes are what they were before there were others."""
    graph = next(
        graph for graph in map(random_graph, range(40)) if {n.bits for n in graph.all(Lif)} == {8, 4}
    )
    document = description(graph)
    said = {item["name"]: item.get("bits", "nothing") for item in document["nodes"]}
    assert said["stem"] == "nothing"
    assert all(said[node.name] == node.bits for node in graph.all(Lif) if node.bits != 8)
    for item in document["nodes"]:
        item.pop("bits", None)
    assert {node.bits for node in from_description(document, {}, "memory").all(Lif)} == {8}


def test_a_network_without_weights_keeps_its_structure() -> None:
    graph = random_graph(5)
    bare = from_description(json.loads(json.dumps(description(graph))), {}, "memory")
    assert not bare.has_weights
    assert description(bare) == description(graph)


def test_numbers_keep_their_units_and_classes_say_nothing_of_them(tmp_path: Path) -> None:
    classes, numbers = random_graph(3), of_numbers(random_graph(3))
    assert "shifts" not in json.dumps(description(classes)) and classes.task == "classification"
    assert classes.sha256() != numbers.sha256()
    save_graph(numbers, tmp_path)
    loaded = load_graph(tmp_path)
    assert loaded.task == "regression" and loaded.head.shifts == numbers.head.shifts
    assert loaded.sha256() == numbers.sha256()


@pytest.mark.parametrize("shifts", [[1.5], "ab", [True], [None], 3])
def test_units_of_a_wrong_form_are_refused(shifts: object) -> None:
    document = json.loads(json.dumps(description(of_numbers(random_graph(3), 2))))
    document["nodes"][-1]["shifts"] = shifts
    with pytest.raises(InputError, match="is not a network description"):
        from_description(document, {}, "memory")
