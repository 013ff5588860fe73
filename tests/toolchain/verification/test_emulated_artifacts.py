"""Artifacts under qemu-user: with a program that stands in for it, and, in `make accept`, with qemu-user itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import exporters.onnx
import exporters.tflite
from tests.support.graphs import random_images, sensitive_graph, with_wrong_weight
from tests.support.stand_ins import stand_ins
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.verification import foreign_root
from toolchain.verification.runtimes.qemu_user import QemuUserRuntime
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

BOARD = load("stm32f405")
"""A board whose files are compared, and not measured."""


GRAPH = sensitive_graph(6)
IMAGES = random_images(GRAPH, 6)
TARGETS = reference.predictions(reference.scores(GRAPH, IMAGES))


def verified(folder: Path, architecture: str, graph: Graph = GRAPH) -> Verdict:
    save_graph(GRAPH, folder)
    exporters.onnx.export(graph, BOARD, folder / "artifacts")
    exporters.tflite.export(graph, BOARD, folder / "artifacts")
    return verify(folder, BOARD, IMAGES, TARGETS, emulate=architecture)


def emulated(verdict: Verdict) -> dict[str, int]:
    """Runtime -> integers that differ."""
    return {row.runtime: row.differing for row in verdict.comparisons if row.evidence == "emulated"}


@pytest.fixture
def stood_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    log = stand_ins(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(foreign_root, "_install_wheels", lambda *_: None)
    return log


def test_every_runtime_of_the_architecture_is_compared(stood_in: Path, tmp_path: Path) -> None:
    verdict = verified(tmp_path / "run", "aarch64")
    found = emulated(verdict)
    assert verdict.failures == () and set(found.values()) == {0}
    names = ("onnxruntime", "tflite-runtime", "ai-edge-litert")
    for name, runtime in zip(names, found, strict=True):
        assert runtime.startswith(name) and runtime.endswith("on aarch64 (qemu-user, cortex-a72)")
    calls = [line for line in stood_in.read_text().splitlines() if "probe.py" in line]
    assert len(calls) == 3 and all("-cpu cortex-a72 -L " in call for call in calls)


def test_a_planted_weight_is_caught_there_too(stood_in: Path, tmp_path: Path) -> None:
    verdict = verified(tmp_path / "run", "aarch64", with_wrong_weight(GRAPH))
    assert all(emulated(verdict).values()) and len(emulated(verdict)) == 3
    assert any("qemu-user" in failure.message for failure in verdict.failures)


def test_what_has_no_wheel_there_is_said(stood_in: Path, tmp_path: Path) -> None:
    verdict = verified(tmp_path / "run", "armhf")
    assert [runtime.split()[0] for runtime in emulated(verdict)] == ["tflite-runtime"]
    assert any("onnxruntime has no wheel for armhf" in note for note in verdict.notes)


def test_a_program_that_fails_there_is_a_broken_artifact(stood_in: Path, tmp_path: Path) -> None:
    root = foreign_root.foreign_root("aarch64", lambda message: None)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"model.onnx cannot be run in onnxruntime .* on aarch64"):
        QemuUserRuntime(path, "onnxruntime", root).scores(IMAGES)


@pytest.mark.accept
@pytest.mark.parametrize("architecture", ["aarch64", "armhf"])
def test_an_emulated_processor_computes_the_same_integers(
    architecture: str, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    for tool in (foreign_root.ARCHITECTURES[architecture].qemu, "debootstrap"):
        require_tool(tool)
    verdict = verified(tmp_path / "run", architecture)
    found = emulated(verdict)
    assert verdict.failures == () and len(found) == (3 if architecture == "aarch64" else 1)
    wrong = verified(tmp_path / "wrong", architecture, with_wrong_weight(GRAPH))
    assert all(emulated(wrong).values())
    assert np.unique(reference.scores(GRAPH, IMAGES), axis=0).shape[0] > 1
