from __future__ import annotations

import pytest

import exporters.onnx
import exporters.tflite
from tests.support.architectures import LINES, quantized, untrained
from toolchain.cost.artifacts import artifact_bytes, latency_ms, resident_bytes
from toolchain.cost.operations import operations


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("side", [16, 28])
def test_files_are_as_large_as_predicted(line: str, side: int) -> None:
    graph, bare = quantized(line, side), untrained(line, side)
    onnx = len(exporters.onnx.build(graph, "unrolled", "jetson_nano", 15, 7).SerializeToString())
    tflite = len(exporters.tflite.build(graph, "raspberry_pi_4b"))
    assert artifact_bytes(bare, "onnx") == pytest.approx(onnx, rel=0.1)
    assert artifact_bytes(bare, "tflite") == pytest.approx(tflite, rel=0.1)


def test_memory_holds_at_least_the_file_and_its_float_weights() -> None:
    graph = untrained(LINES[0])
    assert resident_bytes(graph, "onnx") > artifact_bytes(graph, "onnx") + 4 * 20_000


def test_latency_is_dense_work_at_the_board_s_rate() -> None:
    graph = untrained(LINES[0])
    assert latency_ms(graph, 1e9) == pytest.approx(operations(graph).dense / 1e6)
