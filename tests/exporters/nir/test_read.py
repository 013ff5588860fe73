"""What is not what this exporter wrote is refused, wherever it was changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exporters.nir import build
from exporters.nir.read import own_metadata
from tests.exporters.nir.test_round_trip import read_back
from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph.nodes import Lif

h5py = pytest.importorskip("h5py")
pytest.importorskip("nir")


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        change(file["node"])
    return stream.getvalue()


def put(where: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Replace the dataset ``where`` by what ``change`` makes of it."""

    def replace(node: Any) -> None:
        values = change(node[where][()])
        del node[where]
        node[where] = values

    return replace


GRAPH = random_graph(1)
FIRST = next(GRAPH.all(Lif)).name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(f"nodes/{FIRST}/tau", lambda tau: 2 * tau), "other nodes than its description"),
        (put(f"nodes/{FIRST}.conv0/stride", lambda _: [3, 3]), "other nodes than its description"),
        (put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight * 1e9), "nodes that do not fit"),
        (
            put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight[..., np.newaxis]),
            "nodes that do not fit",
        ),
        (put(f"nodes/{FIRST}.conv0/weight", lambda weight: weight * np.nan), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/metadata/spikenas/threshold", lambda theta: theta * 0), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/metadata/spikenas/reset", lambda _: "zero"), "other nodes than its description"),
        (put(f"nodes/{GRAPH.head.name}/bias", lambda bias: bias[::-1]), "holds another network than it says"),
        (put("edges", lambda edges: edges[:-1]), "other edges than its description"),
        (put("metadata/spikenas/facts", lambda _: "{}"), "does not say that this toolchain wrote it"),
        (put("metadata/spikenas/facts", lambda _: "[" * 50_000), "broken metadata"),
        (put("metadata/spikenas/graph", lambda _: "{}"), "is not a network description"),
        (
            put("metadata/spikenas/graph", lambda text: text.replace(b"lif", b"x")),
            "is not a network description",
        ),
        (lambda node: node.__delitem__(f"nodes/{FIRST}"), "nodes that do not fit"),
        (put(f"nodes/{FIRST}/type", lambda _: "IF"), "other nodes than its description"),
        (lambda node: node.__delitem__("metadata"), "does not say that this toolchain wrote it"),
    ],
)
def test_a_file_that_was_changed_is_refused(change: Callable[[Any], None], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_back(changed(build(GRAPH, "board"), change))
    assert "\n" not in str(caught.value)


def test_a_file_from_elsewhere_has_no_metadata_of_ours() -> None:
    for tree in ({}, {"node": 3}, {"node": {"metadata": {}}}, {"node": {"metadata": {"spikenas": "text"}}}):
        assert own_metadata(tree) is None
    assert own_metadata({"node": {"metadata": {"spikenas": {"dt": 1}}}}) == {"dt": 1}
