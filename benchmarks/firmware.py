"""Instructions, flash and SRAM of spiking firmware beside dense 8-bit firmware, on the same core, in one run.

    python -m benchmarks.firmware                  digits and Fashion-MNIST on every core; trains for hours
    python -m benchmarks.firmware --cifar10 FOLDER ... and CIFAR-10, from its files
    python -m benchmarks.firmware --quick          digits alone, on a Cortex-M4; some minutes
    python -m benchmarks.firmware --run RUN ...    networks that `spikenas-deploy` has trained
    python -m benchmarks.firmware --work FOLDER    keeps what was trained, and does not train it again
    python -m benchmarks.firmware --layers         where the instructions go
    python -m benchmarks.firmware --json           one JSON document

Rivals are dense networks: every layer of spiking neurons a convolution with ReLU, no time steps, 8-bit weights and
activations, batch normalization folded (``benchmarks/dense``). One has the *same shape*. The other has the *same
accuracy*: its channels are a share of the spiking network's, the smallest of those tried with which it is as accurate
on the test images, less one standard error; it is trained by the same recipe, on the same images.

The rivals' hot loop is assembly for each kind of core, on cores with the DSP extension the fastest of the study that
our kernels come from. All sides are built by the same compiler with the same flags and run on the same test images in
unicorn, and must give the scores of their numpy references, or it is an error. What a dense network executes does not
depend on its weights; what a spiking one does depends on its spikes, and so its weights are trained ones.

Instructions are emulated, and are no cycles. The second figure adds five wait states for each line of 16 bytes that
weights and tables are fetched from flash in, behind a data cache of eight lines, as an STM32F405 at 168 MHz has it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from benchmarks.dense import firmware as dense_firmware
from benchmarks.dense import network as dense
from benchmarks.dense.activity import activity
from benchmarks.dense.board import UNICORN_CPUS, Took, board, measure
from benchmarks.dense.subjects import (
    Planned,
    Subject,
    given_subjects,
    planned_subjects,
    same_accuracy,
    same_shape,
)
from exporters.c import compilers, export
from exporters.c.build import build
from toolchain.cost.code_size import Compiler
from toolchain.errors import SpikenasError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Core

DIGITS = Planned("digits", "t4 leak2 reset-subtract stem16/1 003000 stride32 003000 head-count", None)
FASHION = Planned(
    "fashion_mnist",
    "t2 leak2 reset-subtract stem16/1 003000 stride48 003000 stride64 003000 head-count",
    "fashion_mnist",
    {"epochs": 20, "mirror": True},
)
CIFAR = "t2 leak2 reset-subtract stem16/2 003000 stride32 003000 stride64 003000 head-count"
CIFAR_TRAINING = {"epochs": 8, "mirror": True}

IMAGES, QUICK_IMAGES = 8, 2
"""Test images that are run."""

MAIN_CORE = "cortex-m4"
"""The core whose ratios are the benchmark's keys, if it is measured."""


def measured(subject: Subject, cores: Sequence[Core], compiler: Compiler, images: int) -> dict[str, Any]:
    """The network and its rivals on each of ``cores``."""
    equal, tried = same_accuracy(subject, _progress)
    rivals = {"dense_int8": same_shape(subject), "equal_accuracy_cnn": equal.network}
    return {
        "network": subject.name,
        "test_accuracy": subject.test_accuracy,
        "noise": round(subject.noise, 5),
        "equal_accuracy_width": equal.width,
        "tried": [{"width": each.width, "test_accuracy": each.test_quality} for each in tried],
        "cores": [_on_core(subject, rivals, core, compiler, images) for core in cores],
    }


def _on_core(
    subject: Subject, rivals: dict[str, dense.DenseNetwork], core: Core, compiler: Compiler, images: int
) -> dict[str, Any]:
    chosen = subject.data.test.images[:images]
    _progress(f"{subject.name}: running on {core}")
    ours = spiking(subject.graph, core, compiler, chosen)
    theirs = {name: rival(network, subject.graph, core, compiler, chosen) for name, network in rivals.items()}
    found: dict[str, Any] = {"core": core, "spiking": _sizes(ours)}
    for name, took in theirs.items():
        found[name] = _sizes(took) | {"macs": sum(rivals[name].macs().values())}
        found[f"instructions_vs_{name}"] = round(ours.total / took.total, 3)
        found[f"weighted_vs_{name}"] = round(ours.weighted / took.weighted, 3)
        found[f"flash_vs_{name}"] = round(ours.flash_bytes / took.flash_bytes, 3)
        found[f"sram_vs_{name}"] = round(ours.sram_bytes / took.sram_bytes, 3)
    shape = rivals["dense_int8"].macs()
    return found | {"layers": _layers(subject.graph, chosen, ours, theirs["dense_int8"], shape)}


def spiking(graph: Graph, core: Core, compiler: Compiler, images: NDArray) -> Took:
    """Our firmware; raises ``RuntimeError`` if its scores are not the reference's."""
    profile = board(core)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(graph, profile, folder, known_image=images[0])
        elf = build(folder / "c", profile, compiler).elf
        expected = reference.scores(graph, images)
        took, differing = measure(elf, folder / "c" / "net.c", profile, graph, images, expected)
    return _exact(took, differing, f"the spiking firmware on {core}")


def rival(network: dense.DenseNetwork, graph: Graph, core: Core, compiler: Compiler, images: NDArray) -> Took:
    """A dense network's firmware; raises ``RuntimeError`` if its scores are not those of ``dense.scores``."""
    profile = board(core)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dense_firmware.write(network, profile, folder, images[0])
        elf = dense_firmware.build(folder, profile, compiler)
        expected = dense.scores(network, images)
        took, differing = measure(elf, folder / "net.c", profile, graph, images, expected)
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
    graph: Graph, images: NDArray, ours: Took, theirs: Took, macs: dict[str, int]
) -> list[dict[str, Any]]:
    found = activity(graph, images)
    return [
        {
            "layer": name,
            "density": found[name].density,
            "synaptic_operations": round(found[name].synaptic_operations),
            "macs": macs.get(name, 0),
            "instructions": round(ours.instructions[name]),
            "dense_instructions": round(theirs.instructions[name]),
            "flash_lines": round(ours.flash_lines[name]),
            "dense_flash_lines": round(theirs.flash_lines[name]),
        }
        for name in ours.instructions
    ]


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.firmware",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="digits on a Cortex-M4, two images")
    parser.add_argument(
        "--run", type=Path, nargs="+", default=[], help="folders of trained runs, in their place"
    )
    parser.add_argument("--cifar10", type=Path, help="CIFAR-10 too: its folder or archive")
    parser.add_argument(
        "--work", type=Path, help="folder that keeps what is trained; by default nothing is kept"
    )
    parser.add_argument("--core", choices=UNICORN_CPUS, nargs="+", default=None, help="by default all")
    parser.add_argument("--compiler", choices=("gcc", "zig"), help="by default gcc where it is installed")
    parser.add_argument("--layers", action="store_true", help="a line for each layer")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    cores = given.core or ([MAIN_CORE] if given.quick else list(UNICORN_CPUS))
    compiler = given.compiler or ("gcc" if "gcc" in compilers.available() else "zig")
    plans = [DIGITS] if given.quick else [DIGITS, FASHION]
    if given.cifar10:
        plans.append(Planned("cifar10", CIFAR, str(given.cifar10), CIFAR_TRAINING))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ExitStack() as stack:
            work = given.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            found = [
                measured(subject, cores, compiler, QUICK_IMAGES if given.quick else IMAGES)
                for subject in (
                    given_subjects(given.run, work) if given.run else planned_subjects(plans, work, _progress)
                )
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
        "instructions_vs_equal_accuracy_cnn": _worst(found, "instructions_vs_equal_accuracy_cnn"),
        "networks": found,
    }
    print(json.dumps(document, indent=2) if given.json else _text(document, given.layers))
    return 0


def _worst(found: list[dict[str, Any]], key: str) -> float:
    """The largest ratio of a network, on the main core or else on the first that was measured."""
    rows = [
        next((row for row in each["cores"] if row["core"] == MAIN_CORE), each["cores"][0]) for each in found
    ]
    return max(float(row[key]) for row in rows)


def _text(document: dict[str, Any], layers: bool) -> str:
    lines = [f"{document['compiler']}; instructions of an image, emulated; bytes of the linked image"]
    for each in document["networks"]:
        lines.append(f"\n{each['network']}, test accuracy {each['test_accuracy']:.2%}")
        lines += [f"  dense at {t['width']:g} of the width: {t['test_accuracy']:.2%}" for t in each["tried"]]
        lines.append(
            f"  {'':<38}{'instructions':>14}{'with waits':>12}{'flash':>9}{'SRAM':>8}{'code':>7}{'stack':>7}"
        )
        for row in each["cores"]:
            lines += _core_lines(row, each["equal_accuracy_width"])
            if layers:
                lines += _layer_lines(row["layers"])
    return "\n".join(lines)


def _core_lines(row: dict[str, Any], width: float) -> Iterator[str]:
    sides = {
        "spiking": "spiking",
        "dense_int8": "dense, same shape",
        "equal_accuracy_cnn": f"dense, {width:g} of it",
    }
    for key, title in sides.items():
        sizes = row[key]
        yield (
            f"  {row['core'] if key == 'spiking' else '':<14} {title:<23}{sizes['instructions']:>14,}"
            f"{sizes['weighted']:>12,}{sizes['flash_bytes']:>9,}{sizes['sram_bytes']:>8,}"
            f"{sizes['code_bytes']:>7,}{sizes['stack_bytes']:>7,}"
        )
        if key != "spiking":
            yield (
                f"  {'':<14} {'  spiking / dense':<23}{row[f'instructions_vs_{key}']:>14}"
                f"{row[f'weighted_vs_{key}']:>12}{row[f'flash_vs_{key}']:>9}{row[f'sram_vs_{key}']:>8}"
            )


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
