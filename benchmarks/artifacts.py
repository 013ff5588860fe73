"""Latency of an image in our artifacts beside snnTorch's eager step loop, and sizes of files beside their prediction.

    python -m benchmarks.artifacts            200 rounds of each network
    python -m benchmarks.artifacts --quick    30 rounds
    python -m benchmarks.artifacts --json     one JSON document

All sides run the same network, one image at a time on one thread, in one process, and take turns: in each round
each of them has one image. ``eager`` is the loop that snnTorch's tutorials teach, for inference: in every time step
each layer's convolution, with its normalization folded in, and ``snntorch.Leaky``, without gradients. Ours are the
integers of that network: ``model.onnx`` (all time steps in one call) and ``model_step.onnx`` (one call a step) in
ONNX Runtime, ``model.tflite`` in each interpreter that is installed. Their scores must be the reference's, or it is an
error. Ratios are medians over the rounds. Seconds of the clock are compared unless other work is on the machine (a load
average above the cores' number and a half); then it is seconds of the processor.

``speedup_vs_eager`` is that of the fastest of ours, and over all networks the smallest of those that fit a board's
budget: where convolutions are large, they take most of the time on both sides.

Float kernels do not skip zeros, so what the network has been trained for makes no difference.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from exporters.base import exporter
from exporters.onnx.lowering import COUNTS, IMAGE, NEXT, SCORES
from exporters.onnx.read import load
from toolchain import profiles
from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.cost.artifacts import artifact_bytes
from toolchain.cost.footprint import excesses, footprint
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, OrPool, Pool, Shape, Skip
from toolchain.graph.preprocessing import Preprocessing
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import PIXEL_SCALE, ConvNorm, FloatLif, SpikingNetwork
from toolchain.profiles.budget import budget
from toolchain.verification.runtimes.onnxruntime import new_session
from toolchain.verification.runtimes.tflite import available

NETWORKS = (
    ("t4 leak2 reset-subtract stem8/2 003000 stride16 003000 head-count", Shape(1, 28, 28)),
    ("t3 leak2 reset-subtract stem64/2 stride64 003000 head-flatten", Shape(1, 28, 28)),
    ("t4 leak2 reset-subtract stem96/2 303201 head-flatten", Shape(1, 16, 16)),
    ("t4 leak2 reset-subtract stem64/2 003000 stride128 301203 head-count", Shape(3, 32, 32)),
)
"""A small one, those that searches chose for a microcontroller (docs/search-quality.md) and for a Jetson Nano
(README.md), and a large one."""

BOARDS = {"cpu": "raspberry_pi_4b", "linux": "raspberry_pi_4b", "tensorrt": "jetson_orin_nano"}
"""The board that each target's files are written for."""

FULL, QUICK, WARM_UP = 200, 30, 5
"""Rounds, and those before that are not timed."""

IMAGES = 8

Side = Callable[[NDArray[np.uint8]], NDArray[np.int32] | None]


class StepLoop(nn.Module):
    """A ``SpikingNetwork`` run step by step with ``snntorch.Leaky``, normalization folded into convolutions."""

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self.graph, self.head = network.graph, network.head
        self.convolutions, self.neurons = nn.ModuleDict(), nn.ModuleDict()
        self.biases: dict[str, Tensor] = {}
        for name, module in network.nodes.items():
            assert isinstance(module, FloatLif)
            node = module.node
            self.neurons[name] = snntorch.Leaky(
                node.leak.kept, reset_mechanism=node.reset, reset_delay=False, threshold=1.0
            )
            if module.bias is not None:
                self.biases[name] = module.bias.detach().reshape(-1, 1, 1)
            for index, pair in module.convolutions.items():
                assert isinstance(pair, ConvNorm)
                self.convolutions[f"{name}_{index}"] = _folded(pair)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, classes] of ``pixels`` uint8 [N, C, H, W]."""
        maps = {self.graph.input.name: pixels.float() / PIXEL_SCALE}
        potentials = {name: neuron.init_leaky() for name, neuron in self.neurons.items()}  # type: ignore[operator]
        counts: Tensor | float = 0.0
        for _ in range(self.graph.time_steps):
            for node in self.graph.nodes:
                if isinstance(node, Lif):
                    maps[node.name], potentials[node.name] = self.neurons[node.name](
                        self._current(node, maps), potentials[node.name]
                    )
                elif isinstance(node, OrPool):
                    maps[node.name] = functional.max_pool2d(maps[node.source], 2)
            spikes = maps[self.graph.head.source]
            counts = counts + (
                spikes.sum((2, 3)) if self.graph.head.features == "count" else spikes.flatten(1)
            )
        logits: Tensor = self.head(counts)
        return logits

    def _current(self, node: Lif, maps: dict[str, Tensor]) -> Tensor:
        total: Any = self.biases.get(node.name, 0.0)
        for index, edge in enumerate(node.edges):
            source = maps[edge.source]
            if isinstance(edge, Pool):
                part = functional.avg_pool2d(source, 3, 1, 1, divisor_override=8)
            else:
                part = source if isinstance(edge, Skip) else self.convolutions[f"{node.name}_{index}"](source)
            total = total + part
        assert isinstance(total, Tensor)
        return total


def measure(line: str, pixels: Shape, rounds: int, now: Callable[[], float]) -> dict[str, Any]:
    """Latencies, ratios and sizes of one network."""
    network, graph = make_network(line, pixels)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *pixels)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        files = write(graph, Path(folder))
        sides = make_sides(network, files)
        require_exact(graph, sides, images)
        took = race(sides, images, rounds, now)
        weighed = sizes(graph, files)
    ratios = {
        name: float(np.median(took["eager"] / times)) for name, times in took.items() if name != "eager"
    }
    best = max(ratios, key=ratios.__getitem__)
    return {
        "network": line,
        "pixels": list(pixels),
        "latency_ms": {
            name: {
                "median": round(float(np.median(times)) * 1e3, 3),
                "p95": round(float(np.quantile(times, 0.95)) * 1e3, 3),
            }
            for name, times in took.items()
        },
        "speedups": {name: round(ratio, 1) for name, ratio in ratios.items()},
        "best": best,
        "fits": fitting(graph),
        "speedup_vs_eager": round(ratios[best], 1),
        "files": weighed,
    }


def fitting(graph: Graph) -> list[str]:
    """The boards whose budget the network keeps to."""
    boards = map(profiles.load, profiles.available())
    return [board.name for board in boards if not excesses(footprint(graph, board), budget(board))]


def make_network(line: str, pixels: Shape) -> tuple[SpikingNetwork, Graph]:
    """A float network that has never been trained, and its integers."""
    channels = "grey" if pixels.channels == 1 else "rgb"
    preprocessing = Preprocessing(pixels.height, pixels.width, channels)  # type: ignore[arg-type]
    network = SpikingNetwork(build(parse(line), pixels, preprocessing, tuple("0123456789")), seed=0).eval()
    return network, QuantizedNetwork(network).graph()


def write(graph: Graph, folder: Path) -> dict[str, list[Path]]:
    """The files of each target."""
    files = {}
    for target, board in BOARDS.items():
        own = folder / target
        own.mkdir()
        files[target] = exporter(target).export(graph, profiles.load(board), own)
    return files


def make_sides(network: SpikingNetwork, files: dict[str, list[Path]]) -> dict[str, Side]:
    """What runs one image, by name; ours give its scores."""
    loop = StepLoop(network).eval()

    def eager(image: NDArray[np.uint8]) -> None:
        with torch.inference_mode():
            loop(torch.from_numpy(image))

    unrolled, step = files["cpu"]
    sides: dict[str, Side] = {
        "eager": eager,
        "onnx": _onnx(unrolled),
        "onnx, step by step": _onnx_steps(step, network.graph.time_steps),
    }
    for package in available():
        sides[str(package)] = _tflite(str(package), files["linux"][0])
    return sides


def require_exact(graph: Graph, sides: dict[str, Side], images: NDArray[np.uint8]) -> None:
    """Raise ``RuntimeError`` unless the scores of our sides are the reference's."""
    expected = reference.scores(graph, images)
    for name, side in sides.items():
        for image, wanted in zip(images, expected, strict=True):
            found = side(image[np.newaxis])
            if found is not None and not np.array_equal(found[0], wanted):
                raise RuntimeError(f"{name}: scores {found[0].tolist()} are not {wanted.tolist()}")


def race(
    sides: dict[str, Side], images: NDArray[np.uint8], rounds: int, now: Callable[[], float]
) -> dict[str, NDArray[np.float64]]:
    """Seconds of each side in each round, by ``now``; sides take turns, and have some rounds to warm up."""
    took = {name: np.zeros(rounds) for name in sides}
    for number in range(-WARM_UP, rounds):
        image = images[number % len(images)][np.newaxis]
        for name, side in sides.items():
            start = now()
            side(image)
            if number >= 0:
                took[name][number] = now() - start
    return took


def sizes(graph: Graph, files: dict[str, list[Path]]) -> list[dict[str, Any]]:
    """Bytes of each target's largest file, and what the cost model says of it."""
    found = []
    for target, paths in files.items():
        largest = max(paths, key=lambda path: path.stat().st_size)
        measured = largest.stat().st_size
        predicted = artifact_bytes(graph, target, profiles.load(BOARDS[target]))
        found.append(
            {
                "file": largest.name,
                "bytes": measured,
                "predicted_bytes": predicted,
                "over_percent": round(100 * (predicted / measured - 1), 2),
            }
        )
    return found


def _folded(pair: ConvNorm) -> nn.Conv2d:
    plain = pair.convolution
    weight, bias = pair.folded()
    made = nn.Conv2d(plain.in_channels, plain.out_channels, plain.kernel_size, plain.stride, plain.padding)  # type: ignore[arg-type]
    with torch.no_grad():
        made.weight.copy_(weight)
        assert made.bias is not None
        made.bias.copy_(bias)
    return made


def _onnx(path: Path) -> Side:
    session, _ = new_session(load(path), path, 1)

    def run(image: NDArray[np.uint8]) -> NDArray[np.int32]:
        scores: NDArray[np.int32] = session.run([SCORES], {IMAGE: image})[0]
        return scores

    return run


def _onnx_steps(path: Path, time_steps: int) -> Side:
    session, _ = new_session(load(path), path, 1)
    state = {entry.name: (1, *entry.shape[1:]) for entry in session.get_inputs() if entry.name != IMAGE}
    assert COUNTS in state
    zeros = {name: np.zeros(shape, np.float32) for name, shape in state.items()}
    names = [SCORES, *(name + NEXT for name in state)]

    def run(image: NDArray[np.uint8]) -> NDArray[np.int32]:
        before = zeros
        for _ in range(time_steps):
            scores, *after = session.run(names, {IMAGE: image, **before})
            before = dict(zip(state, after, strict=True))
        found: NDArray[np.int32] = scores
        return found

    return run


def _tflite(package: str, path: Path) -> Side:
    interpreter = import_module(f"{package}.interpreter").Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(image: NDArray[np.uint8]) -> NDArray[np.int32]:
        interpreter.set_tensor(entry["index"], np.moveaxis(image, 1, -1).reshape(entry["shape"]))
        interpreter.invoke()
        scores: NDArray[np.int32] = interpreter.get_tensor(result["index"]).reshape(1, -1)
        return scores

    return run


def main(arguments: list[str]) -> int:
    """Measure every network and print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.artifacts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    load_average = os.getloadavg()[0]
    busy = load_average > (os.cpu_count() or 1) + 0.5
    now = time.process_time if busy else time.perf_counter
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = [measure(line, pixels, QUICK if given.quick else FULL, now) for line, pixels in NETWORKS]
    finally:
        torch.set_num_threads(threads)
    document = {
        "evidence": "measured",
        "seconds_of": "the processor" if busy else "the clock",
        "load_average": round(load_average, 1),
        "speedup_vs_eager": min(each["speedup_vs_eager"] for each in found if each["fits"]),
        "networks": found,
    }
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        print(_text(document))
    return 0


def _text(document: dict[str, Any]) -> str:
    lines = [
        f"one image, one thread, seconds of {document['seconds_of']}, measured on this machine at a load average of "
        f"{document['load_average']}; "
        f"at least {document['speedup_vs_eager']} times as fast as snnTorch's eager step loop, of networks that fit"
    ]
    for each in document["networks"]:
        boards = (
            f"fits {len(each['fits'])} of the boards" if each["fits"] else "too slow for any board's budget"
        )
        lines.append(f"\n`{each['network']}`, {'x'.join(map(str, each['pixels']))}, {boards}")
        for name, latency in each["latency_ms"].items():
            speedup = f", {each['speedups'][name]} times eager" if name in each["speedups"] else ""
            lines.append(f"  {name:<20} {latency['median']:8.3f} ms, p95 {latency['p95']:8.3f} ms{speedup}")
        lines += [
            f"  {file['file']:<28} {file['bytes']:>9,} bytes, predicted {file['predicted_bytes']:>9,}"
            f" ({file['over_percent']:+} %)"
            for file in each["files"]
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
