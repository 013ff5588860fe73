"""Instructions, flash and SRAM of spiking firmware beside dense 8-bit firmware, on the same core, in one run.

    python -m benchmarks.firmware                  digits, twice, and Fashion-MNIST on every core; trains for an hour
    python -m benchmarks.firmware --cifar10 FOLDER ... and CIFAR-10, from its files
    python -m benchmarks.firmware --quick          digits alone, on a Cortex-M4; some minutes
    python -m benchmarks.firmware --run RUN ...    networks that `spikenas-deploy` has trained
    python -m benchmarks.firmware --shape-only     without the rivals of equal accuracy, which have to be trained
    python -m benchmarks.firmware --work FOLDER    keeps what was trained, and does not train it again
    python -m benchmarks.firmware --layers         where the instructions go
    python -m benchmarks.firmware --json           one JSON document; --page: docs/firmware-speed.md

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
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from benchmarks.dense import firmware as dense_firmware
from benchmarks.dense import network as dense
from benchmarks.dense.activity import activity
from benchmarks.dense.board import UNICORN_CPUS, Took, board, measure
from benchmarks.dense.page import as_page
from benchmarks.dense.report import as_text
from benchmarks.dense.subjects import (
    Planned,
    Subject,
    given_subjects,
    planned_subjects,
    same_accuracy,
    same_shape,
)
from benchmarks.dense.training import Rival
from exporters.c import compilers, export
from exporters.c.build import build
from toolchain.cost.code_size import Compiler
from toolchain.errors import SpikenasError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Core

DIGITS = Planned("digits", "t4 leak2 reset-subtract stem16/1 003000 stride32 003000 head-count", None)
DEMO = Planned("demo", "t2 leak2 reset-subtract stem96/2 stride96 003000 head-flatten", None)
"""What `make demo` finds."""

FASHION = Planned(
    "fashion_mnist",
    "t2 leak2 reset-subtract stem16/1 003000 stride48 003000 stride64 003000 head-count",
    "fashion_mnist",
    {"epochs": 7, "average": 0.998},
)
CIFAR = "t2 leak2 reset-subtract stem64/2 003000 stride128 003000 stride192 003000 head-count"
CIFAR_TRAINING = {"epochs": 5}

"""The last two are what `benchmarks.budgets` finds for 96 KiB and for 1 MiB of flash."""

IMAGES, QUICK_IMAGES = 4, 2
"""Test images that are run."""

CURVES = (
    (DIGITS, ((4, None), (4, 0.1), (4, 0.05), (4, 0.02), (2, None), (2, 0.1), (1, None), (1, 0.1))),
    (FASHION, ((2, None), (2, 0.08), (2, 0.05), (1, None), (1, 0.1), (1, 0.06))),
)
"""Time steps, and shares of the dense synaptic operations that networks are trained to aim at; None: as they come."""

MAIN_CORE: Core = "cortex-m4"
"""The core whose ratios are the benchmark's keys, if it is measured."""


def measured(
    subject: Subject, cores: Sequence[Core], compiler: Compiler, images: int, *, shape_only: bool = False
) -> dict[str, Any]:
    """The network and its rivals on each of ``cores``; ``shape_only``: without the one that has to be trained."""
    rivals = {"dense_int8": same_shape(subject)}
    tried: list[Rival] = []
    if not shape_only:
        equal, tried = same_accuracy(subject, _progress)
        rivals["equal_accuracy_cnn"] = equal.network
    return {
        "network": subject.name,
        "line": subject.line,
        "test_accuracy": subject.test_accuracy,
        "noise": round(subject.noise, 5),
        "equal_accuracy_width": tried[-1].width if tried else None,
        "tried": [{"width": each.width, "test_accuracy": each.test_quality} for each in tried],
        "cores": [_on_core(subject, rivals, core, compiler, images) for core in cores],
    }


def curve(
    plan: Planned,
    aims: Sequence[tuple[int, float | None]],
    work: Path,
    compiler: Compiler,
    images: int,
) -> dict[str, Any]:
    """What the network of ``plan`` executes, and how accurate it is, in fewer time steps and trained to save spikes.

    ``aims``: time steps and spike rates. The rivals of equal accuracy are those of the network as it comes: they have
    neither time steps nor spikes to save.
    """
    subjects = list(planned_subjects([plan, *(_aiming(plan, *aim) for aim in aims)], work, _progress))
    as_it_comes = subjects.pop(0)
    rows = []
    for (time_steps, rate), subject in zip(aims, subjects, strict=True):
        equal, _ = same_accuracy(replace(as_it_comes, test_accuracy=subject.test_accuracy), _progress)
        rivals = {"dense_int8": same_shape(subject), "equal_accuracy_cnn": equal.network}
        row = _on_core(subject, rivals, MAIN_CORE, compiler, images)
        rows.append(
            {
                "time_steps": time_steps,
                "spike_rate": rate,
                "test_accuracy": subject.test_accuracy,
                "synaptic_operations": sum(layer["synaptic_operations"] for layer in row["layers"]),
                "instructions": row["spiking"]["instructions"],
                "instructions_vs_dense_int8": row["instructions_vs_dense_int8"],
                "equal_accuracy_width": equal.width,
                "instructions_vs_equal_accuracy_cnn": row["instructions_vs_equal_accuracy_cnn"],
            }
        )
    return {"network": plan.name, "core": MAIN_CORE, "rows": rows}


def _aiming(plan: Planned, time_steps: int, rate: float | None) -> Planned:
    """``plan`` with other time steps and a spike rate to aim at; the plan itself where they are its own."""
    own, rest = plan.line.split(" ", 1)
    name, training = plan.name, plan.training
    if own != f"t{time_steps}":
        name += f"-t{time_steps}"
    if rate is not None:
        name += f"-{rate:g}"
        training = {**training, "spike_rate": rate}
    return replace(plan, name=name, line=f"t{time_steps} {rest}", training=training)


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
    parser.add_argument(
        "--shape-only",
        action="store_true",
        help="without the rivals of equal accuracy, which have to be trained",
    )
    parser.add_argument("--layers", action="store_true", help="a line for each layer")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--page", action="store_true", help="print the page of the documentation")
    given = parser.parse_args(arguments)
    if given.page and given.shape_only:
        parser.error("the page needs the rivals of equal accuracy; leave --shape-only out")
    cores = given.core or ([MAIN_CORE] if given.quick else list(UNICORN_CPUS))
    compiler = given.compiler or ("gcc" if "gcc" in compilers.available() else "zig")
    images = QUICK_IMAGES if given.quick else IMAGES
    plans = [DIGITS] if given.quick else [DIGITS, DEMO, FASHION]
    if given.cifar10:
        plans.append(Planned("cifar10", CIFAR, str(given.cifar10), CIFAR_TRAINING))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ExitStack() as stack:
            work = given.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            found = [
                measured(subject, cores, compiler, images, shape_only=given.shape_only)
                for subject in (
                    given_subjects(given.run, work) if given.run else planned_subjects(plans, work, _progress)
                )
            ]
            plain = given.quick or given.run or given.shape_only
            drawn = [] if plain else [curve(*each, work, compiler, images) for each in CURVES]
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
        "curves": drawn,
    }
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        print(as_page(document) if given.page else as_text(document, given.layers), end="")
    return 0


def _worst(found: list[dict[str, Any]], key: str) -> float | None:
    """The largest ratio of a network, on the main core or else on the first that was measured; None if it was not."""
    rows = [
        next((row for row in each["cores"] if row["core"] == MAIN_CORE), each["cores"][0]) for each in found
    ]
    return max((float(row[key]) for row in rows if key in row), default=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
