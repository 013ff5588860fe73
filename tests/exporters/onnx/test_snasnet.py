from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.onnx.snasnet import FILE, LOGITS, build, export
from tests.support.snasnet import snasnet_architectures
from toolchain.architecture.snasnet import SnasnetArchitecture, parse, to_text
from toolchain.cost.snasnet import artifact_bytes
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import SnasnetNetwork

PIXELS = Shape(3, 32, 32)
LINES = (
    "snasnet t3 stem4/1 322143 134212 pool2 fc12 voters2",
    "snasnet t5 stem12/2 444444 001000 pool4 fc64 voters5",
    "snasnet t1 stem8/1 333333 223324 pool2 fc32 voters1",
    "snasnet t4 stem8/2 302030 pool2 fc32 voters3",
)


def lively(architecture: SnasnetArchitecture, classes: int = 10) -> SnasnetNetwork:
    """A network whose norms have seen images and whose fully connected layer fires."""
    network = SnasnetNetwork(architecture, PIXELS, classes, seed=1).train()
    network.full.weight.data.mul_(30)
    torch.manual_seed(0)
    with torch.no_grad():
        for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
            norm.weight.uniform_(0.5, 2)
            norm.bias.uniform_(-0.5, 1)
            norm.momentum = 0.5
        for _ in range(8):
            network(torch.from_numpy(images(16)))
    return network.eval()


def images(count: int, seed: int = 0) -> np.ndarray:
    """Coarse patterns, because fine noise is the same to a network that pools."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 4)).astype(np.uint8)
    return coarse.repeat(8, axis=2).repeat(8, axis=3)


def in_onnx_runtime(model: onnx.ModelProto, pixels: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (logits,) = session.run([LOGITS], {"image": pixels})
    return logits


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("opset", "ir_version"), [(13, 7), (21, 10)])
def test_onnx_runtime_computes_what_torch_does(line: str, opset: int, ir_version: int) -> None:
    network, pixels = lively(parse(line)), images(50, seed=1)
    with torch.no_grad():
        expected = network(torch.from_numpy(pixels)).numpy()
    model = build(network, opset, ir_version)
    assert (model.opset_import[0].version, model.ir_version) == (opset, ir_version)
    found = in_onnx_runtime(model, pixels)
    assert expected.std(axis=0).min() > 0.01  # images are told apart, so that a wrong step shows
    # Where sums are rounded in another order, a potential at the threshold may fire or not: seldom, so that nearly
    # all images agree, and to the rounding of the last layer.
    alike = np.abs(found - expected).max(axis=1) < 1e-4
    assert alike.mean() > 0.9


@settings(max_examples=60, deadline=None)
@given(snasnet_architectures(24, 100), st.integers(1, 12))
def test_the_file_is_not_larger_than_predicted(architecture: SnasnetArchitecture, classes: int) -> None:
    network = SnasnetNetwork(architecture, PIXELS, classes).eval()
    size_bytes = len(build(network, 13, 7).SerializeToString(deterministic=True))
    # What is the same in some time steps may be written once where it is counted in each.
    assert (
        0 <= artifact_bytes(architecture, PIXELS, classes) - size_bytes < 150 + 250 * architecture.time_steps
    )


def test_the_file_and_its_properties(tmp_path: Path) -> None:
    network = lively(parse(LINES[0]))
    path = export(network, tmp_path, 15, 8)
    assert path == tmp_path / FILE
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert properties["spikenas.space"] == "snasnet"
    assert parse(properties["spikenas.architecture"]) == network.architecture
    assert to_text(network.architecture) == properties["spikenas.architecture"]


def test_old_operator_sets_are_refused() -> None:
    with pytest.raises(InputError, match="opset 12, IR 7 is too old"):
        build(SnasnetNetwork(parse(LINES[0]), PIXELS, 3), 12, 7)


def test_more_than_protocol_buffers_hold_is_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = SnasnetNetwork(parse("snasnet t5 stem512/1 001000 pool2 fc9000 voters1"), PIXELS, 10)
    with pytest.raises(InputError, match="more than an ONNX file can hold"):
        export(network, tmp_path, 15, 8)
    assert not list(tmp_path.iterdir())
