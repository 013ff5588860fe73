"""``verify`` reads ``model.nir`` back and compares its integers."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.nir import build
from tests.support.graphs import random_images, with_wrong_weight
from tests.toolchain.verification.test_verify import GRAPH
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

pytest.importorskip("nir")


def verified(folder: Path, graph: Graph, content: bytes) -> Verdict:
    save_graph(graph, folder)
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / "model.nir").write_bytes(content)
    images = random_images(graph, 10)
    targets = reference.predictions(reference.scores(graph, images))
    return verify(folder, load("raspberry_pi_4b"), images, targets)


def test_no_integer_differs(tmp_path: Path) -> None:
    verdict = verified(tmp_path, GRAPH, build(GRAPH, "raspberry_pi_4b"))
    assert verdict.failures == ()
    (compared,) = verdict.comparisons
    assert (compared.runtime, compared.differing, compared.images) == ("NIR re-imported here", 0, 10)
    assert any("other readers of NIR" in note for note in verdict.notes)


def test_a_network_with_another_weight_is_caught(tmp_path: Path) -> None:
    verdict = verified(tmp_path, GRAPH, build(with_wrong_weight(GRAPH), "raspberry_pi_4b"))
    assert {failure.cause for failure in verdict.failures} == {"broken", "differs"}
    assert verdict.comparisons[0].differing


def test_a_broken_file_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    verdict = verified(tmp_path, GRAPH, build(GRAPH, "raspberry_pi_4b")[:-100])
    (failure,) = verdict.failures
    assert failure.cause == "broken" and "model.nir" in failure.message
