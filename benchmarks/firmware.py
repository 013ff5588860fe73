"""Instructions, flash and SRAM of spiking firmware beside dense 8-bit firmware, on the same core, in one run.

    python -m benchmarks.firmware                  digits and Fashion-MNIST, trained here, on every core (minutes)
    python -m benchmarks.firmware --quick          digits alone, on a Cortex-M4 (a minute)
    python -m benchmarks.firmware --run RUN ...    networks that `spikenas-deploy` has trained
    python -m benchmarks.firmware --layers         where the instructions go
    python -m benchmarks.firmware --json           one JSON document

The rival is the dense network of the same shape: every layer of spiking neurons a convolution with ReLU, no time steps,
8-bit weights and activations, batch normalization folded (``benchmarks/dense``). Its hot loop is assembly, the fastest
one found in the study that our kernels come from, and faster than CMSIS-NN's by its instructions. Both are built by the
same compiler with the same flags, run on the same test images in unicorn, and must give the scores of their numpy
reference, or it is an error. What the dense one computes does not depend on its weights; ours does, and they are
trained ones.

Instructions are emulated, and are no cycles. The second figure adds five wait states for each line of 16 bytes that
weights and tables are fetched from flash in, behind a data cache of eight lines, as an STM32F405 at 168 MHz has it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.dense import firmware as dense_firmware
from benchmarks.dense import network as dense
from benchmarks.dense.activity import activity
from benchmarks.dense.board import UNICORN_CPUS, Took, board, measure
from benchmarks.dense.float_network import DenseCnn, quantized
from exporters.c import compilers, export
from exporters.c.build import build
from toolchain import datasets
from toolchain.architecture.build import build as build_graph
from toolchain.architecture.text import parse
from toolchain.datasets import Dataset
from toolchain.errors import SpikenasError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import load_graph
from toolchain.profiles.schema import Core
from toolchain.runs import find
from toolchain.settings import TrainingSettings
from toolchain.training.train import train

DIGITS = "t4 leak2 reset-subtract stem16/1 003000 stride32 003000 head-count"

IMAGES, QUICK_IMAGES, CALIBRATION_IMAGES = 8, 2, 256
"""Test images that are run, and training images that activations are calibrated with."""


@dataclass(frozen=True)
class Subject:
    """A trained spiking network and its data."""

    name: str
    graph: Graph
    data: Dataset


def subjects(runs: Sequence[Path]) -> Iterator[Subject]:
    """The networks of ``runs``, or those that are trained here."""
    for path in runs:
        run = find(path)
        yield Subject(path.name, load_graph(run.path), run.dataset())
    if not runs:
        yield trained("digits", DIGITS, datasets.load(None), TrainingSettings())


def trained(name: str, line: str, data: Dataset, wanted: TrainingSettings) -> Subject:
    """Train the architecture ``line`` on ``data``."""
    graph = build_graph(parse(line), data.pixels, data.preprocessing, data.labels)
    return Subject(name, train(graph, data, wanted, progress=_progress).graph, data)


def _progress(message: str) -> None:
    print(message, file=sys.stderr)


def compare(subject: Subject, core: Core, compiler: Any, images: int) -> dict[str, Any]:
    """Both firmwares on one core."""
    chosen = subject.data.test.images[:images]
    rival = quantized(initial(subject), subject.data.train.images[:CALIBRATION_IMAGES])
    ours = measured_spiking(subject.graph, core, compiler, chosen)
    theirs = measured_dense(rival, subject.graph, core, compiler, chosen)
    return {
        "core": core,
        "spiking": _sizes(ours),
        "dense": _sizes(theirs) | {"macs": sum(rival.macs().values())},
        "instructions_vs_dense_int8": round(ours.total / theirs.total, 3),
        "weighted_vs_dense_int8": round(ours.weighted / theirs.weighted, 3),
        "sram_vs_dense_int8": round(ours.sram_bytes / theirs.sram_bytes, 3),
        "flash_vs_dense_int8": round(ours.flash_bytes / theirs.flash_bytes, 3),
        "layers": _layers(subject.graph, chosen, ours, theirs, rival.macs()),
    }


def initial(subject: Subject) -> DenseCnn:
    """The dense network of the same shape before training, its normalization that of a batch."""
    network = DenseCnn(subject.graph).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # an average of what follows, not what the module begins with
    with torch.no_grad():
        network(torch.from_numpy(subject.data.train.images[:CALIBRATION_IMAGES]))
    return network


def measured_spiking(graph: Graph, core: Core, compiler: Any, images: NDArray[np.uint8]) -> Took:
    """Our firmware; raises ``RuntimeError`` if its scores are not the reference's."""
    profile = board(core)
    with tempfile.TemporaryDirectory() as folder:
        export(graph, profile, Path(folder), known_image=images[0])
        linked = build(Path(folder) / "c", profile, compiler)
        took, differing = measure(
            linked.elf, Path(folder) / "c" / "net.c", profile, graph, images, reference.scores(graph, images)
        )
    return _exact(took, differing, f"the spiking firmware on {core}")


def measured_dense(
    network: dense.DenseNetwork, graph: Graph, core: Core, compiler: Any, images: NDArray[np.uint8]
) -> Took:
    """The rival's firmware; raises ``RuntimeError`` if its scores are not those of ``dense.scores``."""
    profile = board(core)
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder)
        dense_firmware.write(network, profile, sources, images[0])
        elf = dense_firmware.build(sources, profile, compiler)
        took, differing = measure(
            elf, sources / "net.c", profile, graph, images, dense.scores(network, images)
        )
    return _exact(took, differing, f"the dense firmware on {core}")


def _exact(took: Took, differing: int, what: str) -> Took:
    if differing:
        raise RuntimeError(f"{what} has {differing} scores that are not its reference's: this is a bug")
    return took


def _sizes(took: Took) -> dict[str, Any]:
    return {
        "instructions": round(took.total),
        "weighted": round(took.weighted),
        "flash_bytes": took.flash_bytes,
        "code_bytes": took.code_bytes,
        "sram_bytes": took.sram_bytes,
        "arena_bytes": took.arena_bytes,
        "stack_bytes": took.stack_bytes,
    }


def _layers(
    graph: Graph, images: NDArray[np.uint8], ours: Took, theirs: Took, macs: dict[str, int]
) -> list[dict[str, Any]]:
    found = activity(graph, images)
    return [
        {
            "layer": name,
            "density": None if found[name].density is None else round(float(found[name].density or 0), 4),
            "synaptic_operations": round(found[name].synaptic_operations),
            "macs": macs.get(name, 0),
            "instructions": round(ours.instructions[name]),
            "dense_instructions": round(theirs.instructions[name]),
            "flash_lines": round(ours.flash_lines[name]),
            "dense_flash_lines": round(theirs.flash_lines[name]),
        }
        for name in ours.instructions
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.firmware",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="digits on a Cortex-M4, two images")
    parser.add_argument("--run", type=Path, nargs="+", default=[], help="folders of trained runs")
    parser.add_argument("--core", choices=UNICORN_CPUS, nargs="+", default=None, help="by default all")
    parser.add_argument("--compiler", choices=("gcc", "zig"), help="by default gcc where it is installed")
    parser.add_argument("--layers", action="store_true", help="a line for each layer")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    cores = given.core or (["cortex-m4"] if given.quick else list(UNICORN_CPUS))
    compiler = given.compiler or ("gcc" if "gcc" in compilers.available() else "zig")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = [
            {
                "network": subject.name,
                "cores": [
                    compare(subject, core, compiler, QUICK_IMAGES if given.quick else IMAGES)
                    for core in cores
                ],
            }
            for subject in subjects(given.run)
        ]
    except SpikenasError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        torch.set_num_threads(threads)
    document = {
        "evidence": "emulated",
        "compiler": f"{compiler} {compilers.version(compiler)}",
        "instructions_vs_dense_int8": _worst(found, "instructions_vs_dense_int8"),
        "networks": found,
    }
    print(json.dumps(document, indent=2) if given.json else _text(document, given.layers))
    return 0


def _worst(found: list[dict[str, Any]], key: str) -> float:
    """The largest ratio on the first core, that of most boards."""
    return max(float(each["cores"][0][key]) for each in found)


def _text(document: dict[str, Any], layers: bool) -> str:
    lines = [f"{document['compiler']}; instructions of an image, emulated; bytes of the linked image"]
    for each in document["networks"]:
        lines.append(f"\n{each['network']}")
        lines.append(
            f"  {'':<15}{'instructions':>14}{'with wait states':>18}{'flash':>10}{'SRAM':>9}{'code':>8}{'stack':>7}"
        )
        for row in each["cores"]:
            for side in ("spiking", "dense"):
                sizes = row[side]
                lines.append(
                    f"  {row['core'] if side == 'spiking' else '':<14} {side:<8}{sizes['instructions']:>14,}"
                    f"{sizes['weighted']:>18,}{sizes['flash_bytes']:>10,}{sizes['sram_bytes']:>9,}"
                    f"{sizes['code_bytes']:>8,}{sizes['stack_bytes']:>7,}"
                )
            lines.append(
                f"  {'':<14} {'ratio':<8}{row['instructions_vs_dense_int8']:>14}{row['weighted_vs_dense_int8']:>18}"
                f"{row['flash_vs_dense_int8']:>10}{row['sram_vs_dense_int8']:>9}"
            )
            if layers:
                lines += _layer_lines(row["layers"])
    return "\n".join(lines)


def _layer_lines(layers: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        f"    {'layer':<14}{'density':>8}{'synaptic ops':>14}{'instructions':>14}{'an op':>7}{'MACs':>12}"
        f"{'dense':>12}{'a MAC':>7}{'ratio':>7}{'lines':>9}{'dense':>9}"
    )
    for layer in layers:
        ours, theirs = layer["instructions"], layer["dense_instructions"]
        operations, macs = layer["synaptic_operations"], layer["macs"]
        density = "" if layer["density"] is None else f"{layer['density']:.1%}"
        yield (
            f"    {layer['layer']:<14}{density:>8}{operations:>14,}{ours:>14,}"
            f"{ours / operations if operations else 0:>7.2f}{macs:>12,}{theirs:>12,}"
            f"{theirs / macs if macs else 0:>7.2f}{ours / theirs:>7.2f}"
            f"{layer['flash_lines']:>9,}{layer['dense_flash_lines']:>9,}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
