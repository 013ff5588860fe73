"""Dense networks by the recipe of spiking ones: the same images, variants, optimizer, rates and number of epochs.

What a spiking network spends on epochs in integers, a dense one spends on its float ones; it is quantized behind them
and loses next to nothing by that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.dense import network as dense
from benchmarks.dense.float_network import DenseCnn, quantized
from toolchain.datasets import Dataset
from toolchain.files import read_json, write_json
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Lif, Node, OrPool, Shape
from toolchain.training.objective import Objective, objective
from toolchain.training.phase import Extent, Phase
from toolchain.training.recipe import Recipe

CHANNELS = 4
"""Channels come in multiples of what the dense kernel reads at once."""

CALIBRATION_IMAGES = 256
"""Training images that activations are calibrated with."""


@dataclass(frozen=True)
class Rival:
    """A dense network: ``width`` is the share of the spiking network's channels that it has."""

    width: float
    graph: Graph
    network: dense.DenseNetwork
    test_quality: float


def scaled(graph: Graph, width: float) -> Graph:
    """``graph`` without weights and with ``width`` times its channels, rounded to multiples of four."""

    def shape(found: Shape) -> Shape:
        return found._replace(channels=max(CHANNELS, round(found.channels * width / CHANNELS) * CHANNELS))

    def bare(edge: Edge) -> Edge:
        return replace(edge, **{name: None for name in ("weight", "rounding") if hasattr(edge, name)})

    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, Lif):
            edges = tuple(map(bare, node.edges))
            nodes.append(replace(node, shape=shape(node.shape), edges=edges))
        elif isinstance(node, OrPool):
            nodes.append(replace(node, shape=shape(node.shape)))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def trained(
    graph: Graph,
    width: float,
    data: Dataset,
    plan: Recipe,
    seed: int,
    folder: Path,
    progress: Callable[[str], None],
) -> Rival:
    """Train the dense network of ``graph`` at ``width`` as ``plan`` says, quantize it, and judge its integers.

    What was trained is kept in ``folder``, and taken from there if it has been before with the same recipe.
    """
    shape = scaled(graph, width)
    cnn, task = DenseCnn(shape, seed=seed), objective(data, label_smoothing=plan.label_smoothing)
    weights, record = folder / f"dense-{width:g}.safetensors", folder / f"dense-{width:g}.json"
    facts = {"recipe": asdict(plan), "seed": seed, "data": data.sha256, "network": shape.sha256()}
    kept = read_json(record) if record.is_file() else {}
    if {name: kept.get(name) for name in facts} == facts:
        cnn.load_state_dict(load_file(weights))
    else:
        _fit(cnn, data, task, plan, seed, lambda text: progress(f"dense, {width:g} of the width: {text}"))
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: values.contiguous() for name, values in cnn.state_dict().items()}, weights)
        kept = {}
    integers = quantized(cnn, data.train.images[:CALIBRATION_IMAGES])
    quality = kept.get("test_quality")
    if quality is None:
        quality = task.quality(dense.scores(integers, data.test.images), data.test.targets)
        write_json(record, facts | {"test_quality": quality})
    progress(f"dense, {width:g} of the width: test {task.text(quality)} in integers")
    return Rival(width, shape, integers, quality)


def _fit(
    cnn: DenseCnn, data: Dataset, task: Objective, plan: Recipe, seed: int, progress: Callable[[str], None]
) -> None:
    def loss(pixels: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.precision == "bfloat16"):
            outputs = cnn(pixels)
        return task.loss(outputs.float(), targets)

    extent = Extent(plan.epochs, plan.float_rate, plan.weight_decay)
    phase = Phase("float", cnn, data.train, task, plan, extent, loss, seed=seed)
    while phase.step < phase.steps:
        phase.advance()
        if phase.at_epoch_end:
            progress(f"epoch {phase.epoch}/{plan.epochs}, loss {phase.mean_loss:.3f}")
    phase.finish()
