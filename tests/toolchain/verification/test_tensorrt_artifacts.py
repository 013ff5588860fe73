"""``verify`` runs the files for TensorRT in ONNX Runtime, and says what was not run and what float16 would lose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporters.onnx import tensorrt
from tests.support.graphs import of_numbers, random_images, with_wrong_weight
from tests.toolchain.verification.test_verify import GRAPH
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify


def verified(folder: Path, board: str, exported: Graph, graph: Graph = GRAPH, **limits: int) -> Verdict:
    profile = load(board)
    save_graph(graph, folder)
    tensorrt.export(exported, profile, folder / "artifacts")
    images = random_images(graph, 10)
    scores = reference.scores(graph, images)
    targets = graph.values(scores) if graph.head.shifts else reference.predictions(scores)
    return verify(folder, profile, images, targets, limits=budget(profile, **limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(("board", "precisions"), [
    ("jetson_nano", ["float32", "float16"]),
    ("jetson_orin_nano", ["float32", "float16", "int8"]),
])  # fmt: skip
def test_no_integer_differs_and_nothing_is_said_to_have_run(
    board: str, precisions: list[str], tmp_path: Path
) -> None:
    verdict = verified(tmp_path, board, GRAPH)
    assert verdict.failures == ()
    assert [row.differing for row in verdict.comparisons] == [0] * (1 + ("int8" in precisions))
    assert all(row.runtime.endswith("not TensorRT") for row in verdict.comparisons)
    for precision in precisions:
        (note,) = (note for note in verdict.notes if f"in TensorRT, {precision}: not run" in note)
        assert re.search(r"`trtexec --onnx=\S+\.onnx --saveEngine=\S+ --noTF32.*`", note)
    (loss,) = (note for note in verdict.notes if "emulated" in note)
    assert re.search(r"[\d,]+ of [\d,]+ outputs differ, the class is the same in \d+ of 10 images", loss)
    sizes = [line.resource for line in verdict.budget if line.artifact.startswith("model_tensorrt")]
    assert sizes == ["artifact"] * len(verdict.comparisons)
    assert not any(line.resource in ("latency", "resident memory") for line in verdict.budget)


def test_a_network_with_another_weight_is_caught(tmp_path: Path) -> None:
    verdict = verified(tmp_path, "jetson_orin_nano", with_wrong_weight(GRAPH))
    assert [failure.cause for failure in verdict.failures] == ["broken", "differs"] * 2
    assert all(row.spikes is not None for row in verdict.comparisons)


def test_a_file_over_the_budget_is_a_failure(tmp_path: Path) -> None:
    verdict = verified(tmp_path, "jetson_nano", GRAPH, artifact_bytes=1000)
    assert "over_budget" in {failure.cause for failure in verdict.failures}


def test_of_numbers_the_loss_is_a_share(tmp_path: Path) -> None:
    graph = of_numbers(GRAPH)
    verdict = verified(tmp_path, "jetson_nano", graph, graph)
    assert verdict.failures == ()
    (loss,) = (note for note in verdict.notes if "emulated" in note)
    assert re.search(r"outputs differ, by up to [\d.e+inf]+ % of the largest value$", loss)
