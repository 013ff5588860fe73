from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exporters import metadata
from tests.support.graphs import of_numbers, random_graph
from toolchain.errors import InputError


def document() -> dict[str, Any]:
    return metadata.facts(random_graph(3), "jetson_nano", "step")


def test_facts_survive_json_and_say_what_a_program_on_the_board_needs() -> None:
    graph = random_graph(3)
    facts = metadata.parse(json.loads(json.dumps(document())), "a file")
    assert facts == document()
    assert facts["graph_sha256"] == graph.sha256() and facts["time_steps"] == graph.time_steps
    assert facts["labels"] == list(graph.labels) and facts["profile"] == "jetson_nano"
    stem = facts["neurons"]["stem"]
    node = graph.nodes[1]
    assert stem["exponents"] == node.exponent.tolist()  # type: ignore[union-attr]
    assert stem["thresholds"] == {"min": node.threshold.min(), "max": node.threshold.max()}  # type: ignore[union-attr]
    assert stem["leak"] == {"form": node.leak.form, "shift": node.leak.shift}  # type: ignore[union-attr]
    assert stem["reset"] == node.reset  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("graph_sha256", "AB" * 32),
        ("graph_sha256", None),
        ("time_steps", 9),
        ("time_steps", True),
        ("time_steps", "4"),
        ("form", "both"),
        ("profile", ""),
        ("profile", "board\x1b[2J"),
        ("labels", "0123456789"),
        ("labels", [0, 1]),
        ("score_exponent", 1.5),
        ("neurons", []),
        ("preprocessing", {"height": 8}),
        ("preprocessing", None),
        ("generator", 7),
    ],
)
def test_a_broken_fact_is_named(name: str, value: Any) -> None:
    word = "preprocessing" if name == "preprocessing" else f"{name} is"
    with pytest.raises(InputError, match=f"a file has broken metadata: {word}"):
        metadata.parse(document() | {name: value}, "a file")


def test_frames_are_one_or_as_many_as_time_steps() -> None:
    graph = random_graph(3, framed=True)
    facts = metadata.facts(graph, "jetson_nano", "step")
    assert metadata.parse(facts, "a file")["preprocessing"]["events"]["frames"] == graph.time_steps > 2
    with pytest.raises(
        InputError, match=f"preprocessing gives {graph.time_steps} frames, but there are 2 time"
    ):
        metadata.parse(facts | {"time_steps": 2}, "a file")


def test_numbers_have_an_exponent_each() -> None:
    graph = of_numbers(random_graph(3), 2)
    facts = metadata.facts(graph, "jetson_nano", "unrolled")
    assert metadata.parse(json.loads(json.dumps(facts)), "a file") == facts
    exponent = graph.head.exponent
    assert facts["task"] == "regression" and facts["score_exponents"] == [exponent + 3, exponent]  # type: ignore[operator]
    assert "score_exponent" not in facts and "task" not in document()
    for name, value in (("task", "guessing"), ("task", ["regression"]), ("score_exponents", [0.5])):
        with pytest.raises(InputError, match=f"a file has broken metadata: {name} is"):
            metadata.parse(facts | {name: value}, "a file")


@pytest.mark.parametrize("foreign", [None, [], "text", {}, {"format": "other/1"}])
def test_metadata_of_others(foreign: Any) -> None:
    with pytest.raises(InputError, match="does not say that this toolchain wrote it"):
        metadata.parse(foreign, "a file")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, b"\xff\xfe", "9" * 5000])
def test_broken_json(text: str | bytes) -> None:
    with pytest.raises(InputError, match="a file (has broken metadata|does not say)"):
        metadata.parse(metadata.from_json(text, "a file"), "a file")


def test_limits_of_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="more than the 1,048,576 that are read"):
        metadata.from_json(" " * (metadata.MAX_FACTS_BYTES + 1), "a file")
    monkeypatch.setattr(metadata, "MAX_ARTIFACT_BYTES", 3)
    with pytest.raises(InputError, match="model.onnx would have 4 bytes, more than the 3"):
        metadata.write_artifact(tmp_path / "model.onnx", b"1234")
    assert not list(tmp_path.iterdir())


def test_reading_facts_needs_neither_torch_nor_a_runtime() -> None:
    """``check`` reads artifacts where only the light packages are installed."""
    code = (
        "import sys, exporters.onnx.read, exporters.tflite.read; exporters.tflite.read.schema.load(); "
        "print([name for name in ('torch', 'onnxruntime', 'tflite_runtime', 'ai_edge_litert.interpreter') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
