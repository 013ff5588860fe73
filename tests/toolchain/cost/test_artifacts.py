from __future__ import annotations

import pytest

import exporters.onnx
import exporters.tflite
from tests.support.architectures import LINES, quantized, untrained
from toolchain.cost.artifacts import artifact_bytes, latency_ms, resident_bytes, weight_count
from toolchain.cost.operations import operations
from toolchain.graph.nodes import Lif


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("side", [16, 28])
def test_files_are_as_large_as_predicted(line: str, side: int) -> None:
    graph, bare = quantized(line, side), untrained(line, side)
    onnx = len(exporters.onnx.build(graph, "unrolled", "jetson_nano", 15, 7).SerializeToString())
    tflite = len(exporters.tflite.build(graph, "raspberry_pi_4b"))
    assert artifact_bytes(bare, "onnx") == pytest.approx(onnx, rel=0.1)
    assert artifact_bytes(bare, "tflite") == pytest.approx(tflite, rel=0.1)


def test_memory_grows_with_weights_maps_and_the_runtime() -> None:
    small, large = untrained(LINES[0]), untrained(LINES[0], side=32)
    wide = untrained(LINES[0].replace("32", "64"))
    for form in ("onnx", "tflite"):
        more_weights = weight_count(wide) - weight_count(small)
        assert resident_bytes(wide, form) - resident_bytes(small, form) > 8 * more_weights
        # Four times the positions: at least the potentials of every neuron are four times as many floats.
        potentials = sum(node.shape.size for node in small.all(Lif))
        assert resident_bytes(large, form) - resident_bytes(small, form) >= 3 * 4 * potentials
    assert resident_bytes(small, "onnx") > resident_bytes(small, "tflite")


def test_latency_is_dense_work_at_the_board_s_rate() -> None:
    graph = untrained(LINES[0])
    assert latency_ms(graph, 1e9) == pytest.approx(operations(graph).dense / 1e6)
