from __future__ import annotations

import json
import subprocess
import sys

import flatbuffers
import numpy
import pytest
from onnx import TensorProto, helper

from toolchain.environment import probes


def test_the_onnx_probe_is_the_model_it_says() -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    assert model.SerializeToString(deterministic=True) == probes.RELU_ONNX


def test_the_tflite_probe_is_the_model_it_says() -> None:
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    model = schema.ModelT.InitFromPackedBuf(probes.RELU_TFLITE)
    (subgraph,), (code,) = model.subgraphs, model.operatorCodes
    assert code.builtinCode == schema.BuiltinOperator.RELU
    assert [list(t.shape) for t in subgraph.tensors] == [[1], [1]]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    assert len(builder.Output()) == len(probes.RELU_TFLITE)


def test_a_package_that_fails_is_reported_and_the_next_is_still_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise SystemError("compiled for\nnumpy 1")

    monkeypatch.setitem(probes.PROBES, "broken", broken)
    probes.main(["broken", "numpy"])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"name": "broken", "error": "SystemError: compiled for"},
        {"name": "numpy", "error": None},
    ]


def test_an_interpreter_that_cannot_run_fails_its_probe() -> None:
    class Interpreter:
        def __init__(self, **_: object) -> None:
            raise SystemError("_ARRAY_API not found")

    module = type(sys)("fake")
    module.Interpreter = Interpreter  # type: ignore[attr-defined]
    with pytest.raises(SystemError):
        probes._interpret_tflite(module)


def test_wrong_arithmetic_fails_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy, "arange", lambda n: numpy.zeros(n))
    with pytest.raises(AssertionError):
        probes.PROBES["numpy"]()


def test_as_a_program_it_writes_one_line_a_package() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "toolchain.environment.probes", "numpy", "safetensors"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["numpy", "safetensors"]
