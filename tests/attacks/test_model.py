"""Broken and hostile model files: each ends in one InputError, none in a crash or a changed file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph.storage import load_graph, save_graph


def in_last(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The description with fields of its last node, the head, changed."""
    return document | {"nodes": [*document["nodes"][:-1], document["nodes"][-1] | fields]}


DESCRIPTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "list": lambda document: [document],
    "no format": lambda document: document | {"format": None},
    "newer format": lambda document: document | {"format": "spikenas-graph/99"},
    "nodes a text": lambda document: document | {"nodes": "../../etc/passwd"},
    "no nodes": lambda document: document | {"nodes": []},
    "unknown node": lambda document: document | {"nodes": [{"type": "exec", "name": "x"}]},
    "unknown field": lambda document: document | {"nodes": [document["nodes"][0] | {"path": "/etc/passwd"}]},
    "time steps a text": lambda document: document | {"time_steps": "4"},
    "time steps true": lambda document: document | {"time_steps": True},
    "negative time steps": lambda document: document | {"time_steps": -1},
    "huge time steps": lambda document: document | {"time_steps": 10**30},
    "huge shape": lambda document: (
        document
        | {"nodes": [document["nodes"][0] | {"shape": [10**9, 10**9, 10**9]}, *document["nodes"][1:]]}
    ),
    "two extents": lambda document: document | {"nodes": [document["nodes"][0] | {"shape": [1, 2]}]},
    "name with a quote": lambda document: (
        document | {"nodes": [document["nodes"][0] | {"name": 'x";system("rm'}, *document["nodes"][1:]]}
    ),
    "preprocessing missing": lambda document: {k: v for k, v in document.items() if k != "preprocessing"},
    "preprocessing of a billion pixels": lambda document: (
        document | {"preprocessing": {"height": 10**9, "width": 10**9, "channels": "grey", "crop": "none"}}
    ),
    "a bit": lambda document: in_last(document, bits=1),
    "bits a text": lambda document: in_last(document, bits="4"),
    "bits true": lambda document: in_last(document, bits=True),
    "half a bit": lambda document: in_last(document, bits=0.5),
    "no bits": lambda document: in_last(document, bits=None),
    "negative bits": lambda document: in_last(document, bits=-4),
    "a googol of bits": lambda document: in_last(document, bits=10**100),
    "bits that the weights do not fit": lambda document: in_last(document, bits=2),
    "shifts within the description": lambda document: in_last(document, code_shift=[0, 0]),
    "labels a number": lambda document: document | {"labels": 7},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_graph(random_graph(7), tmp_path)
    return tmp_path


@pytest.mark.parametrize("change", DESCRIPTIONS.values(), ids=DESCRIPTIONS.keys())
def test_a_hostile_description_is_refused(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(change(document)))
    with pytest.raises(InputError):
        load_graph(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"format": 1e999999}'],
    ids=lambda content: repr(content[:8]),
)
def test_text_that_is_not_json_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.json").write_bytes(content)
    with pytest.raises(InputError):
        load_graph(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 8,
        (2**63).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"{}",
        (10).to_bytes(8, "little") + b"not header",
    ],
    ids=["empty", "zero header", "endless header", "no tensors", "not a header"],
)
def test_broken_arrays_are_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError):
        load_graph(folder)


def test_arrays_that_overlap_or_point_past_the_end_are_refused(folder: Path) -> None:
    header = json.dumps({"head.bias": {"dtype": "I32", "shape": [1000], "data_offsets": [0, 4000]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(InputError):
        load_graph(folder)


def test_a_truncated_pair_is_refused(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"model\.safetensors has tensors that lie outside the file"):
        load_graph(folder)


@pytest.mark.parametrize(
    "shift",
    [np.full(2, 200), np.zeros(3), np.zeros(0), np.zeros((2, 1)), None],
    ids=["huge", "too many", "none", "of two axes", "missing"],
)
def test_shifts_that_do_not_belong_to_the_weights_are_refused(
    tmp_path: Path, shift: NDArray[np.float64] | None
) -> None:
    graph = random_graph(next(seed for seed in range(40) if random_graph(seed).head.bits == 4))
    save_graph(graph, tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = safetensors.numpy.load(path.read_bytes())
    del tensors["head.code_shift"]
    if shift is not None:
        tensors["head.code_shift"] = shift.astype(np.uint8)
    path.write_bytes(safetensors.numpy.save(tensors))
    with pytest.raises(InputError):
        load_graph(tmp_path)


def test_a_missing_half_is_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors does not exist"):
        load_graph(folder)
