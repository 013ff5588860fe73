"""Files are written and weighed: none may be larger than was predicted without its weights."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import exporters.onnx
import exporters.tflite
from exporters.onnx import tensorrt
from tests.support.architecture_strategies import architectures
from tests.support.architectures import LINES, filled, quantized, untrained
from tests.support.graphs import random_graph
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.build import build
from toolchain.cost.artifacts import UPDATE_MACS, artifact_bytes, latency_ms, resident_bytes, weight_count
from toolchain.cost.operations import operations
from toolchain.errors import InputError
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.catalog import load
from toolchain.profiles.schema import Profile

LONG = " ".join(
    ["t2 no-leak reset-zero stem130/1", *["pool8 441423"] * 2, *["stride4 111111"] * 12, "head-count"]
)
"""Numbers of two digits in the names of nodes."""


NANO, ORIN, PI = (load(name) for name in ("jetson_nano", "jetson_orin_nano", "raspberry_pi_4b"))
"""The second and the third load INT4."""


def onnx_bytes(graph: Graph, form: str = "unrolled", profile: Profile = NANO) -> int:
    """Size of a file with weights."""
    versions = exporters.onnx.runtime_versions(profile)
    return int(exporters.onnx.build(graph, form, profile.name, *versions).ByteSize())  # type: ignore[arg-type]


def tensorrt_bytes(graph: Graph, profile: Profile) -> int:
    """Size of the largest file with weights for this board's TensorRT."""
    files = (False, True) if profile is ORIN else (False,)
    return max(int(tensorrt.build(graph, profile.name, int8=int8).ByteSize()) for int8 in files)


def named(profile: Profile, name: str) -> Profile:
    """``profile`` under another name."""
    return profile.model_copy(update={"name": name})


def slack_bytes(graph: Graph) -> int:
    """What is not known before training: a digit a channel, a few more a node and of the whole."""
    nodes = list(graph.all(Lif))
    return sum(node.shape.channels + 10 for node in nodes) + 20


def alignment_bytes(graph: Graph) -> int:
    """What a TFLite file may save by alignment: a word for each array of weights, and at its ends."""
    return 4 * sum(len(node.edges) for node in graph.all(Lif)) + 80


@settings(max_examples=60, deadline=None)
@given(
    architectures(max_channels=300, max_blocks=6),
    st.sampled_from([Shape(1, 16, 16), Shape(3, 20, 33), Shape(2, 9, 8)]),
    st.lists(st.text(max_size=5), min_size=2, max_size=300),
    st.sampled_from([NANO, ORIN]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_no_file_is_larger_than_predicted(
    architecture: Architecture,
    pixels: Shape,
    labels: list[str],
    profile: Profile,
    longest: bool,
    framed: bool,
    numbers: bool,
) -> None:
    channels = {1: "grey", 2: "as_is", 3: "rgb"}[pixels.channels]
    preprocessing = Preprocessing(pixels.height, pixels.width, channels)  # type: ignore[arg-type]
    if framed and channels == "as_is":
        events = EventFrames(architecture.time_steps, 300_000, 16, 34, 34)
        preprocessing = Preprocessing(pixels.height, pixels.width, "polarity", events=events)
    shifts = (30,) * len(labels) if numbers else ()
    try:
        bare = build(architecture, pixels, preprocessing, tuple(labels), shifts)
    except InputError:
        assume(False)
    assume(weight_count(bare) < 2_000_000)
    graph = filled(bare, longest=longest)
    # The exponents of numbers are taken at three characters each, and what they are called at its longest.
    digits = (0 if longest else slack_bytes(bare)) + (20 + 3 * len(labels) if numbers else 0)
    predicted = artifact_bytes(bare, "cpu", profile)
    assert onnx_bytes(graph, "step", profile) <= predicted
    if architecture.time_steps > 1:
        assert predicted - digits - 10 <= onnx_bytes(graph, profile=profile) <= predicted
    predicted, measured = artifact_bytes(bare, "tensorrt", profile), tensorrt_bytes(graph, profile)
    assert predicted - digits - 10 <= measured <= predicted
    predicted = artifact_bytes(bare, "linux", PI)
    unused = 0 if architecture.time_steps > 1 else 20 + 80 * sum(1 for _ in bare.all(Lif))
    measured = len(exporters.tflite.build(graph, "raspberry_pi_4b"))
    assert predicted - digits - alignment_bytes(bare) - unused <= measured <= predicted


@pytest.mark.parametrize("seed", range(20))
def test_nor_is_one_of_a_graph_that_no_search_makes(seed: int) -> None:
    graph = random_graph(seed)
    for profile in (NANO, ORIN):
        written = max(onnx_bytes(graph, form, profile) for form in ("unrolled", "step"))
        assert artifact_bytes(graph, "cpu", profile) >= written
    left = artifact_bytes(graph, "tensorrt", ORIN) - tensorrt_bytes(graph, ORIN)
    assert 0 <= left <= slack_bytes(graph) + 10
    assert artifact_bytes(graph, "linux", named(PI, "b")) >= len(exporters.tflite.build(graph, "b"))


@pytest.mark.parametrize("line", [*LINES, LONG])
def test_quantized_networks_come_within_three_per_cent(line: str) -> None:
    graph, bare = quantized(line, 28), untrained(line, 28)
    assert onnx_bytes(graph) <= artifact_bytes(bare, "cpu", NANO) <= 1.03 * onnx_bytes(graph)
    measured = max(tensorrt.build(graph, "jetson_orin_nano", int8=int8).ByteSize() for int8 in (False, True))
    assert measured <= artifact_bytes(bare, "tensorrt", ORIN) <= 1.01 * measured
    measured = len(exporters.tflite.build(graph, "raspberry_pi_4b"))
    assert measured <= artifact_bytes(bare, "linux", PI) <= 1.03 * measured


def test_a_profile_s_name_is_in_its_files() -> None:
    graph = filled(untrained(LINES[0]), longest=True)
    for name in ("b", "ü" * 90):
        profile = named(NANO, name)
        assert (
            0
            <= artifact_bytes(graph, "cpu", profile) - onnx_bytes(graph, profile=profile)
            <= 10 + 5 * len(name)
        )
        written = len(exporters.tflite.build(graph, name))
        assert 0 <= artifact_bytes(graph, "linux", named(PI, name)) - written <= alignment_bytes(graph)


def test_memory_grows_with_weights_maps_and_time_steps() -> None:
    small, large = untrained(LINES[0]), untrained(LINES[0], side=32)
    wide, longer = untrained(LINES[0].replace("32", "64")), untrained(LINES[0].replace("t4", "t8"))
    for target in ("cpu", "linux"):
        memory = [resident_bytes(graph, target) for graph in (small, wide, large, longer)]
        more_weights = weight_count(wide) - weight_count(small)
        assert memory[1] - memory[0] > 8 * more_weights
        # Four times the positions: at least the potentials of every neuron are four times as many floats.
        potentials = sum(node.shape.size for node in small.all(Lif))
        assert memory[2] - memory[0] >= 3 * 4 * potentials
        assert memory[3] > memory[0]
    assert resident_bytes(small, "cpu") > resident_bytes(small, "linux")


def test_latency_is_dense_work_and_updates_at_the_board_s_rate() -> None:
    graph = untrained(LINES[0])
    counted = operations(graph)
    work = counted.dense + UPDATE_MACS * counted.membrane_updates
    assert latency_ms(graph, 1e9) == pytest.approx(work / 1e6)
    assert latency_ms(graph, 2e9) == latency_ms(graph, 1e9) / 2
