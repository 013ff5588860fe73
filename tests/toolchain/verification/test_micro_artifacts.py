"""A run's files for TensorFlow Lite Micro against the reference, the board's SRAM and its flash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exporters.base import exporter
from tests.support.graphs import random_images, sensitive_graph, with_wrong_weight
from tests.support.tflm import needs_tflm
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles.budget import budget
from toolchain.profiles.catalog import load
from toolchain.verification.check import check_file, check_run
from toolchain.verification.micro_artifacts import arena_bytes
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

BOARD = load("stm32f405")
KIB = 1024


GRAPH = sensitive_graph(12)
IMAGES = random_images(GRAPH, 12)
TARGETS = reference.predictions(reference.scores(GRAPH, IMAGES))


def run(folder: Path, graph: Graph = GRAPH) -> Path:
    save_graph(GRAPH, folder)
    exporter("micro").export(graph, BOARD, folder / "artifacts")
    return folder


def verified(folder: Path, **options: object) -> Verdict:
    return verify(folder, BOARD, IMAGES, TARGETS, **options)  # type: ignore[arg-type]


@needs_tflm
def test_both_forms_are_exact_in_the_arena_of_the_board(tmp_path: Path) -> None:
    verdict = verified(run(tmp_path))
    assert verdict.failures == ()
    rows = [(row.artifact, row.images, row.differing) for row in verdict.comparisons]
    assert rows == [("model_micro.tflite", 12, 0), ("model_micro_step.tflite", 12, 0)]
    lines = {(line.artifact, line.resource): line for line in verdict.budget}
    for name in ("model_micro.tflite", "model_micro_step.tflite"):
        flash, arena = lines[name, "flash"], lines[name, "arena"]
        assert flash.used == (tmp_path / "artifacts" / name).stat().st_size
        assert arena.available == 128 * KIB - BOARD.stack_bytes
        assert 0 < arena.used < arena.available and "64-bit machine, an upper bound" in arena.note
        said = [lines[f"prediction of {name}", resource] for resource in ("flash", "arena")]
        assert all(line.evidence == "estimated" for line in said)
        assert flash.used <= said[0].used <= 1.02 * flash.used
        assert abs(said[1].used - arena.used) <= 0.03 * arena.used
        assert f"{name} ran in an arena of {arena.available:,} bytes, all that" in " ".join(verdict.notes)


@needs_tflm
def test_an_arena_that_the_board_does_not_have_is_over_budget(tmp_path: Path) -> None:
    needed = next(line.used for line in verified(run(tmp_path)).budget if line.resource == "arena")
    limits = budget(BOARD, sram_bytes=needed - 16 + BOARD.stack_bytes)
    verdict = verified(tmp_path, limits=limits)
    assert {failure.cause for failure in verdict.failures} == {"over_budget"}
    assert "model_micro.tflite is over budget by 16 bytes: arena needs" in verdict.failures[0].message
    assert verdict.comparisons[0].differing == 0
    assert "more than there is" in " ".join(verdict.notes)


@needs_tflm
def test_a_planted_weight_and_another_network_are_caught(tmp_path: Path) -> None:
    verdict = verified(run(tmp_path, with_wrong_weight(GRAPH)))
    assert {failure.cause for failure in verdict.failures} == {"broken", "differs"}
    assert any("integers differ from the reference" in failure.message for failure in verdict.failures)


@needs_tflm
def test_a_broken_file_is_a_failure(tmp_path: Path) -> None:
    path = run(tmp_path) / "artifacts" / "model_micro.tflite"
    path.write_bytes(path.read_bytes()[:-100])
    verdict = verified(tmp_path)
    assert [failure.cause for failure in verdict.failures] == ["broken"]
    assert [row.artifact for row in verdict.comparisons] == ["model_micro_step.tflite"]


def test_the_arena_is_in_one_region_beside_the_stack() -> None:
    limits = budget(BOARD)
    assert arena_bytes(BOARD, limits) == 128 * KIB - BOARD.stack_bytes
    only_ccm = replace(limits, regions=tuple(each for each in limits.regions if each.name != "sram"))
    assert arena_bytes(BOARD, only_ccm) == 64 * KIB
    linux = load("raspberry_pi_4b")
    assert arena_bytes(linux, budget(linux)) is None


def test_check_holds_the_file_against_flash_on_microcontrollers_and_the_artifact_limit_elsewhere(
    tmp_path: Path,
) -> None:
    artifacts = run(tmp_path) / "artifacts"
    path = artifacts / "model_micro.tflite"
    (line,) = check_file(path, BOARD, budget(BOARD))
    assert (line.resource, line.used, line.available) == ("flash", path.stat().st_size, 1024 * KIB)
    lines = [(line.artifact, line.resource) for line in check_run(tmp_path, BOARD, budget(BOARD))]
    assert lines[:2] == [("model_micro.tflite", "flash"), ("model_micro_step.tflite", "flash")]
    assert lines[-4:] == [
        (f"prediction of {name}", resource)
        for name in ("model_micro.tflite", "model_micro_step.tflite")
        for resource in ("flash", "arena")
    ]
    linux = load("raspberry_pi_4b")
    (line,) = check_file(path, linux, budget(linux))
    assert line.resource == "artifact"
    exporter("linux").export(GRAPH, linux, artifacts)
    with pytest.raises(InputError, match="is for a Linux board, and stm32f405 is a microcontroller"):
        check_file(artifacts / "model.tflite", BOARD, budget(BOARD))
