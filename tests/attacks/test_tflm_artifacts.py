"""Hostile TFLite files for microcontrollers: TensorFlow Lite Micro writes wherever a file's plan says, and aborts on
scales that it does not expect, so whatever is not as we write it is refused before it runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporters import metadata
from exporters.tflite import build as build_float
from exporters.tflite import micro, micro_read
from exporters.tflite.flatbuffer import pack
from tests.attacks.artifacts import GRAPH, IMAGES, TABLES, find_operator, put
from tests.support import tflm
from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.nodes import Lif
from toolchain.verification.runtimes.tflm import TflmRuntime

FORMS: tuple[metadata.Form, ...] = ("unrolled", "step")
Change = Callable[[Any, Any], Any]


def changed(change: Change, form: metadata.Form = "unrolled") -> bytes:
    """The model with a change to (model, subgraph), serialized as the exporter does."""
    model = TABLES.ModelT.InitFromPackedBuf(micro.build(GRAPH, form, "board"), 0)
    change(model, model.subgraphs[0])
    return pack(model)


def refused(path: Path, content: bytes | None = None) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        micro_read.facts(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence and len(sentence) < 600 and sentence.isprintable()
    return sentence


def quantization(model: Any, kind: str, place: int = 0) -> Any:
    """What is said of an input of the first operator of a kind."""
    return model.subgraphs[0].tensors[find_operator(model, kind).inputs[place]].quantization


def plan_with(number: int, value: int) -> Change:
    """One word of the plan changed."""

    def change(model: Any, graph: Any) -> None:
        entry = next(each for each in model.metadata if each.name == micro.PLAN.encode())
        words = model.buffers[entry.buffer].data.view(np.int32).copy()
        words[number] = value
        model.buffers[entry.buffer].data = words.view(np.uint8)

    return change


def constant_place(model: Any, graph: Any) -> None:
    constant = next(number for number, tensor in enumerate(graph.tensors) if tensor.buffer)
    plan_with(3 + constant, 0)(model, graph)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (plan_with(3, (1 << 31) - 16), "plans places outside its arena"),
        (plan_with(3, -16), "plans places outside its arena"),
        (plan_with(3, -1), "plans places outside its arena"),
        (plan_with(3, 8), "plans places outside its arena"),
        (plan_with(2, 1), "has another plan of its arena"),
        (plan_with(2, 1 << 30), "has another plan of its arena"),
        (constant_place, "plans a place for a constant"),
        (lambda model, graph: model.metadata.pop(), "has other metadata"),
        (lambda model, graph: model.metadata.append(model.metadata[0]), "has other metadata"),
        (lambda model, graph: put(model.metadata[1], "name", "offline"), "has no plan of its arena"),
        (lambda model, graph: put(quantization(model, "SUB"), "scale", [4.0]), "has a "),
        (lambda model, graph: put(quantization(model, "SUB"), "scale", [0.0]), "no powers of two"),
        (lambda model, graph: put(quantization(model, "SUB"), "scale", [float("nan")]), "no powers of two"),
        (lambda model, graph: put(quantization(model, "SUB"), "scale", [3.0]), "no powers of two"),
        (lambda model, graph: put(quantization(model, "SUB"), "scale", [2.0**90]), "no powers of two"),
        (lambda model, graph: put(quantization(model, "SUB"), "zeroPoint", [1]), "has a "),
        (lambda model, graph: put(quantization(model, "SUB"), "zeroPoint", []), "with other scales"),
        (lambda model, graph: put(quantization(model, "SUB"), "max", [1.0]), "with other scales"),
        (
            lambda model, graph: put(quantization(model, "CONV_2D", 1), "scale", [1.0, 1.0]),
            "with other scales",
        ),
        (
            lambda model, graph: (
                put(quantization(model, "CONV_2D", 1), "scale", [1.0] * 2),
                put(quantization(model, "CONV_2D", 1), "zeroPoint", [0] * 2),
            ),
            "has a CONV_2D of other scales",
        ),
        (
            lambda model, graph: put(quantization(model, "CONV_2D", 1), "quantizedDimension", 7),
            "has a CONV_2D of other scales",
        ),
        (
            lambda model, graph: put(
                graph.tensors[find_operator(model, "CONV_2D").inputs[1]], "quantization", None
            ),
            "has a CONV_2D of other scales",
        ),
        (
            lambda model, graph: put(find_operator(model, "CONV_2D").builtinOptions, "strideH", 0),
            "has a CONV_2D of",
        ),
        (
            lambda model, graph: put(
                find_operator(model, "SUB").builtinOptions, "fusedActivationFunction", 5
            ),
            "has a SUB of",
        ),
        (
            lambda model, graph: put(find_operator(model, "CONCATENATION").builtinOptions, "axis", 9),
            "has a CONCATENATION of",
        ),
        (
            lambda model, graph: put(find_operator(model, "FULLY_CONNECTED"), "inputs", [-1, -1, -1]),
            "uses values before",
        ),
        (
            lambda model, graph: put(find_operator(model, "SUB"), "outputs", [1 << 30]),
            "tensors that are not there",
        ),
        (lambda model, graph: put(graph, "inputs", [-5]), "tensors that are not there"),
        (
            lambda model, graph: put(graph, "inputs", [int(graph.inputs[0])] * 2),
            "inputs that are something else",
        ),
        (lambda model, graph: put(graph, "outputs", [0]), "gives no scores"),
        (lambda model, graph: put(graph, "operators", []), "gives no scores"),
        (lambda model, graph: put(graph.tensors[0], "shape", [1, 1 << 30, 1 << 30, 1]), "with the shape"),
        (
            lambda model, graph: put(graph.tensors[0], "shape", [3, 4, 4, 1]),
            "has a QUANTIZE that does not give",
        ),
    ],
)
def test_files_that_would_break_tflm(change: Change, reason: str, tmp_path: Path) -> None:
    sentence = refused(tmp_path / "model_micro.tflite", changed(change))
    assert reason in sentence
    assert sentence.endswith(("which this toolchain never writes; export it again", "or give another file"))


def test_states_that_change_their_form(tmp_path: Path) -> None:
    def swap(model: Any, graph: Any) -> None:
        graph.outputs = [graph.outputs[0], *graph.outputs[:0:-1]]

    assert "states that change their form" in refused(
        tmp_path / "model_micro_step.tflite", changed(swap, "step")
    )


def test_a_form_or_frames_that_the_facts_deny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = metadata.facts(GRAPH, "board", "unrolled")
    monkeypatch.setattr(metadata, "facts", lambda *_: facts)
    path = tmp_path / "model_micro_step.tflite"
    path.write_bytes(micro.build(GRAPH, "step", "board"))
    assert "is of another form than it says" in refused(path)
    framed = random_graph(2, framed=True)
    lie = {"preprocessing": framed.preprocessing.to_dict(), "time_steps": framed.time_steps}
    monkeypatch.setattr(metadata, "facts", lambda *_: facts | lie)
    path.write_bytes(micro.build(GRAPH, "unrolled", "board"))
    assert "takes other frames than it says" in refused(path)


@pytest.mark.parametrize("form", FORMS)
def test_files_of_the_other_kind(form: metadata.Form, tmp_path: Path) -> None:
    """A float file is none of these, and these are no float files."""
    assert refused(tmp_path / "model_micro.tflite", build_float(GRAPH, "board"))
    from exporters.tflite.read import facts

    path = tmp_path / "model.tflite"
    path.write_bytes(micro.build(GRAPH, form, "board"))
    with pytest.raises(InputError):
        facts(path)


@pytest.mark.parametrize("form", FORMS)
def test_truncated_files_and_no_artifacts(form: metadata.Form, tmp_path: Path) -> None:
    content, path = micro.build(GRAPH, form, "board"), tmp_path / "model_micro.tflite"
    assert "does not exist" in refused(path)
    for size in np.linspace(1, len(content) - 1, 12).astype(int):
        refused(path, content[:size])
    for other in (b"", b"\0" * 64, b"TFL3" * 20, content + bytes(16)):
        refused(path, other)


@tflm.needs_tflm
def test_flipped_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    """A file that is still well-formed (a weight changed, say) must run; any other must be refused."""
    rng, path, content = (
        random.Random(0),
        tmp_path / "model_micro.tflite",
        micro.build(GRAPH, "unrolled", "board"),
    )
    refusals, runs = 0, 0
    while runs < 8:
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            runtime = TflmRuntime(path)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
        else:
            assert runtime.scores(IMAGES).shape == (2, GRAPH.head.classes)
            runs += 1
    assert refusals


@tflm.needs_tflm
@pytest.mark.parametrize("form", FORMS)
def test_an_unchanged_tree_is_accepted_and_runs(form: metadata.Form, tmp_path: Path) -> None:
    path = tmp_path / "model_micro.tflite"
    path.write_bytes(changed(lambda model, graph: None, form))
    np.testing.assert_array_equal(TflmRuntime(path).scores(IMAGES), reference.scores(GRAPH, IMAGES))
    assert micro_read.load(path).states == (0 if form == "unrolled" else 1 + sum(1 for _ in GRAPH.all(Lif)))
