"""The rival's firmware computes what its reference says, on every core, and the reference what torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.dense import firmware, network
from benchmarks.dense.board import board, measure
from benchmarks.dense.float_network import DenseCnn, quantized
from benchmarks.dense.network import DenseNetwork, Layer
from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.cost.code_size import Compiler
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Core

EVERY_EDGE = "t2 leak2 reset-subtract stem8/1 113423 pool12 314320 head-count", Shape(1, 15, 13)
COLOUR = "t2 leak2 reset-subtract stem6/2 003000 stride20 003000 head-flatten", Shape(3, 13, 13)
"""Between them: skips, pools, 1x1 and 3x3, strides, OR pooling, odd sizes, channels in and out of whole words."""


def made(line: str, pixels: Shape) -> tuple[Graph, DenseCnn, NDArray[np.uint8]]:
    """A network whose normalization has the moments of some images, and those images."""
    preprocessing = Preprocessing(pixels.height, pixels.width, "grey" if pixels.channels == 1 else "rgb")
    graph = build(parse(line), pixels, preprocessing, tuple("0123456789"))
    images = np.random.default_rng(0).integers(0, 256, (48, *pixels)).astype(np.uint8)
    float_network = DenseCnn(graph, seed=1).train()
    for module in float_network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        float_network(torch.from_numpy(images))
    return graph, float_network.eval(), images


def differing(
    graph: Graph,
    built: DenseNetwork,
    images: NDArray[np.uint8],
    core: Core,
    compiler: Compiler,
    folder: Path,
    expected: DenseNetwork | None = None,
) -> int:
    """Scores of the firmware of ``built`` that are not those of ``expected``."""
    firmware.write(built, board(core), folder, images[0])
    elf = firmware.build(folder, board(core), compiler)
    wanted = network.scores(expected or built, images)
    return measure(elf, folder / "net.c", board(core), graph, images, wanted)[1]


@pytest.mark.parametrize("line, pixels", [EVERY_EDGE, COLOUR])
def test_integers_follow_the_float_network(line: str, pixels: Shape) -> None:
    _, float_network, images = made(line, pixels)
    integers = network.scores(quantized(float_network, images), images).astype(np.float64)
    with torch.no_grad():
        floats = float_network(torch.from_numpy(images)).double().numpy()
    assert np.corrcoef(integers.ravel(), floats.ravel())[0, 1] > 0.995


@pytest.mark.parametrize(
    "network_of, core, compiler",
    [
        (EVERY_EDGE, "cortex-m4", "zig"),
        (COLOUR, "cortex-m4", "gcc"),
        (EVERY_EDGE, "cortex-m0plus", "gcc"),
        (COLOUR, "cortex-m0plus", "zig"),
        (EVERY_EDGE, "cortex-m3", "gcc"),
        (COLOUR, "cortex-m3", "gcc"),
    ],
)
def test_firmware_is_exact(
    network_of: tuple[str, Shape],
    core: Core,
    compiler: Compiler,
    tmp_path: Path,
    require_tool,
    require_package,
) -> None:  # type: ignore[no-untyped-def]
    require_package("unicorn")
    if compiler == "gcc":
        require_tool("arm-none-eabi-gcc")
    graph, float_network, images = made(*network_of)
    built = quantized(float_network, images)
    assert differing(graph, built, images[:3], core, compiler, tmp_path) == 0


def test_a_weight_that_is_off_by_one_is_noticed(tmp_path: Path, require_package) -> None:  # type: ignore[no-untyped-def]
    require_package("unicorn")
    graph, float_network, images = made(*COLOUR)
    good, bad = quantized(float_network, images), quantized(float_network, images)
    layer = bad.layers[0]
    assert isinstance(layer, Layer)
    layer.convolutions[0].weight[0, 0, 1, 1] -= 1
    assert differing(graph, bad, images[:2], "cortex-m4", "zig", tmp_path, expected=good) > 0
