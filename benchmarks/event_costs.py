"""Measure what the lists of events take on each core: rows added, words walked, lists begun, words written down.

    python -m benchmarks.event_costs             write toolchain/cost/event_costs.toml anew; some minutes
    python -m benchmarks.event_costs --check     compare the table with what is measured; exit 1 if a term is off by 5 %
    python -m benchmarks.event_costs --core cortex-m3    one core; the others keep their numbers
    python -m benchmarks.event_costs --quick     a Cortex-M4, weights of 8 bits; writes nothing

Layers between 8 and 64 channels wide, whose neurons fire in any share of all, in both of two time steps or not, are
linked with the default compiler and run in unicorn, both with and without sharing. Instructions of the functions that
add rows are fitted to the rows, events and lists there were, and those of all others, less what is the same with and
without sharing, to the lists and the events alone. The last column says by how much more a network executes with the
kernels that the fit chooses than with the better ones, at worst.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.dense.board import UNICORN_CPUS, board
from exporters.c import export
from exporters.c.build import build
from toolchain.cost.code_size import DEFAULT_COMPILER
from toolchain.cost.event_lists import LayerEvents, Lists, layer_events
from toolchain.cost.kernel_choice import TABLE, EventCosts, event_costs
from toolchain.cost.packing import blocks
from toolchain.files import read_toml, write_atomic
from toolchain.graph import reference
from toolchain.graph.codes import MAX_CODE, WIDTHS
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Leak, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Core
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.instruction_count import thumb_instructions
from toolchain.verification.mailbox import Mailbox, infer_all

SIDE = 7
"""Of the maps, in neurons."""

IMAGES = 2
"""Each layer sees so many."""

ADDING = "snn_add_rows", "snn_sum_codes"
"""How the names of functions begin that add rows."""

TOLERANCE = 0.05
"""How far ``--check`` lets a term be from the table's; terms under a twentieth of a list's may be further off."""

HEADER = """\
# Instructions of the kernels that list events and add rows of weights, measured by `python -m benchmarks.event_costs`;
# toolchain/cost/kernel_choice.py says what the terms are.
"""


@dataclass(frozen=True)
class Layer:
    """A layer to be measured: ``rate`` of its inputs fire, and of those that may, a share ``again`` does so twice."""

    channels: int
    outputs: int
    rate: float
    again: float
    kernel: int = 3
    time_steps: int = 2
    clustered: bool = False


LAYERS = (
    Layer(16, 32, 0.1, 0.0),
    Layer(32, 32, 0.1, 0.7, clustered=True),
    Layer(64, 16, 0.25, 0.5),
    Layer(32, 16, 0.6, 0.5),
    Layer(48, 64, 0.15, 0.2, time_steps=4),
    Layer(24, 32, 0.3, 1.0, kernel=1),
    Layer(8, 16, 0.1, 0.5, time_steps=3, clustered=True),
)


def network(layer: Layer, bits: int, seed: int = 0) -> tuple[Graph, NDArray[np.uint8]]:
    """A network of a pixel layer, ``layer`` and a head, and images uint8 [n, T, 2, H, W] that make it fire so."""
    rng = np.random.default_rng((seed, layer.channels, layer.outputs, round(1000 * layer.rate)))
    steps, shape = layer.time_steps, Shape(layer.channels, SIDE, SIDE)
    pixels = Shape(2, SIDE, SIDE)
    events = EventFrames(steps, 1000, 1, SIDE, SIDE)
    images = rng.integers(1, 256, (IMAGES, 1, *pixels)).repeat(steps, axis=1)
    other = rng.integers(1, 256, images.shape)
    images = np.where(rng.random(images.shape) < layer.again, images, other)
    if layer.clustered:
        images[..., : SIDE // 2, :] = 0
    weight = rng.integers(-7, 8, (layer.channels, 2, 3, 3)).astype(np.int8)
    rounding = np.full(layer.channels, 3, np.uint8)
    stem = _lif("stem", shape, PixelConv("pixels", 3, 1, weight, rounding), layer.channels)
    framed = images.transpose(1, 0, 2, 3, 4).reshape(-1, *pixels).astype(np.int64)
    drive = reference.node_current(stem, {"pixels": framed})
    # The threshold of each channel lies where the wanted share of its currents reaches it.
    at = np.quantile(drive, 1 - layer.rate, axis=(0, 2, 3))
    bias = (256 - np.maximum(at, 1)).astype(np.int16)
    stem = _lif("stem", shape, stem.edges[0], layer.channels, bias)
    most = MAX_CODE.get(bits, 15)
    inner = rng.integers(-most, most + 1, (layer.outputs, layer.channels, layer.kernel, layer.kernel))
    edge = SpikeConv("stem", layer.kernel, 1, inner.astype(np.int8))
    node = _lif("node", Shape(layer.outputs, SIDE, SIDE), edge, layer.outputs, bits=bits)
    head = Head(
        "head",
        "node",
        2,
        "count",
        rng.integers(-9, 9, (2, layer.outputs)).astype(np.int8),
        np.zeros(2, np.int32),
        4,
    )
    nodes = (Input("pixels", pixels, steps), stem, node, head)
    graph = Graph(nodes, steps, Preprocessing(SIDE, SIDE, "polarity", events=events), ("a", "b"))
    return graph, images.astype(np.uint8)


def _lif(name: str, shape: Shape, edge: Any, channels: int, bias: Any = None, bits: int = 8) -> Lif:
    return Lif(
        name,
        shape,
        (edge,),
        # Next to nothing is kept from step to step, so that each fires as its own frame says.
        Leak("shift", 12),
        "zero",
        np.zeros(channels, np.int16) if bias is None else bias,
        np.full(channels, 256, np.int16),
        np.full(channels, 6, np.uint8),
        bits,
        None if bits == 8 else np.zeros(channels, np.uint8),
    )


@dataclass(frozen=True)
class Run:
    """One image of a network whose layer shares or not: instructions of its functions that add rows, and of all."""

    adding: int
    total: int


@dataclass(frozen=True)
class Sample:
    """One image: what its spikes make of the lists, and what it took without and with sharing."""

    output_blocks: int
    events: LayerEvents
    apart: Run
    shared: Run


def samples(core: Core, layer: Layer, bits: int) -> Iterator[Sample]:
    """Run ``layer`` on ``core`` for each image."""
    graph, images = network(layer, bits)
    runs = {share: list(_runs(core, graph, images, share)) for share in (0, 1)}
    node = graph.nodes[2]
    assert isinstance(node, Lif)
    for index in range(len(images)):
        (trace,) = reference.traces(graph, images[index : index + 1])
        yield Sample(
            blocks(layer.outputs), layer_events(graph, node, trace.spikes), runs[0][index], runs[1][index]
        )


def _runs(core: Core, graph: Graph, images: NDArray[np.uint8], share: int) -> Iterator[Run]:
    profile = board(core)
    with tempfile.TemporaryDirectory() as name:
        export(graph, profile, Path(name))
        source = Path(name) / "c" / "net.c"
        source.write_text(re.sub(r"\.share = [01],", f".share = {share},", source.read_text()))
        image = read_elf(build(Path(name) / "c", profile, DEFAULT_COMPILER).elf)
    mailbox, machine = Mailbox.of(image, graph), Emulator(image, profile)
    mailbox.boot(machine)
    for pixels in images:
        with executed(machine) as blocks_run:
            scores = infer_all(machine, mailbox, pixels[np.newaxis])
        if not np.array_equal(scores, reference.scores(graph, pixels[np.newaxis])):
            raise RuntimeError(f"the firmware on {core} differs from its reference: this is a bug")
        adding = total = 0
        for (address, size), times in blocks_run.items():
            count = times * thumb_instructions(machine.read(address, size))
            total += count
            adding += count * image.function_at(address).startswith(ADDING)
        yield Run(adding, total)


@contextmanager
def executed(machine: Emulator) -> Iterator[Counter[tuple[int, int]]]:
    """How often ``machine`` runs each block of instructions, by its address and size, inside the ``with``."""
    found: Counter[tuple[int, int]] = Counter()
    hook = machine.core.hook_add(
        machine.unicorn.UC_HOOK_BLOCK, lambda _c, address, size, _u: found.update([(address, size)])
    )
    machine.core.ctl_flush_tb()
    yield found
    machine.core.hook_del(hook)
    machine.core.ctl_flush_tb()


def fitted(found: Sequence[Sample]) -> EventCosts:
    """The terms that explain ``found`` best."""
    within: list[tuple[list[int], int]] = []
    around: list[tuple[list[int], int]] = []
    for sample in found:
        for lists, run in ((sample.events.apart, sample.apart), (sample.events.shared, sample.shared)):
            counts = [lists.rows, lists.events, lists.lists]
            within.append(([count * sample.output_blocks for count in counts], run.adding))
        apart, shared = sample.events.apart, sample.events.shared
        outside = [run.total - run.adding for run in (sample.apart, sample.shared)]
        around.append(
            (
                [(shared.lists - apart.lists) * sample.output_blocks, shared.events - apart.events],
                outside[1] - outside[0],
            )
        )
    row, event, begun = _solved(within)
    more, listed = _solved(around)
    return EventCosts(*(round(float(term), 1) for term in (row, event, begun + more, listed)))


def _solved(equations: Sequence[tuple[list[int], int]]) -> NDArray[np.float64]:
    rows = np.array([row for row, _ in equations], float)
    result: NDArray[np.float64] = np.linalg.lstsq(
        rows, np.array([value for _, value in equations], float), rcond=None
    )[0]
    return result


def regret(costs: EventCosts, sample: Sample) -> float:
    """By what share the kernel that ``costs`` choose executes more than the better one."""

    def estimate(lists: Lists) -> float:
        return costs.instructions(lists, sample.output_blocks)

    share = estimate(sample.events.shared) < estimate(sample.events.apart)
    totals = sample.apart.total, sample.shared.total
    return totals[share] / min(totals) - 1


def measured(core: Core, bits: int, layers: Sequence[Layer] = LAYERS) -> tuple[EventCosts, list[Sample]]:
    """The terms of ``core`` for weights of ``bits`` bits, and what they are fitted to."""
    found = [sample for layer in layers for sample in samples(core, layer, bits)]
    return fitted(found), found


def main() -> int:
    """Print a line for each core and width; returns the process's exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--core", choices=list(UNICORN_CPUS), action="append", help="may be repeated")
    parser.add_argument("--check", action="store_true", help="compare with the table")
    parser.add_argument("--quick", action="store_true", help="one core, 8 bits")
    arguments = parser.parse_args()
    cores: Sequence[Core] = ["cortex-m4"] if arguments.quick else arguments.core or list(UNICORN_CPUS)
    widths = [8] if arguments.quick else sorted(WIDTHS, reverse=True)
    wrong = 0
    print(f"{'core':14} bits  {'row':>6} {'event':>6} {'list':>7} {'listed':>7} {'at worst':>9}")
    for core in cores:
        terms = {}
        for bits in widths:
            costs, found = measured(core, bits)
            worst = max(regret(costs, sample) for sample in found)
            row = f"{costs.row:6} {costs.event:6} {costs.list:7} {costs.listed:7}"
            print(f"{core:14} {bits:4}  {row} {worst:9.1%}", flush=True)
            terms[f"weights_{bits}"] = costs._asdict()
            wrong += arguments.check and not _agree(costs, event_costs(core, bits))
        if not arguments.check and not arguments.quick:
            _write(core, terms)
    return 1 if wrong else 0


def _write(core: Core, terms: dict[str, dict[str, float]]) -> None:
    """Put the ``terms`` of ``core`` into the table; other cores keep theirs."""
    table = (read_toml(TABLE) if TABLE.is_file() else {}) | {core: terms}
    lines = [HEADER]
    for name in sorted(table):
        lines.append(f"\n[{name}]\n")
        for width, each in table[name].items():
            lines.append(
                f"{width} = {{ {', '.join(f'{term} = {value}' for term, value in each.items())} }}\n"
            )
    write_atomic(TABLE, "".join(lines))


def _agree(found: EventCosts, table: EventCosts) -> bool:
    return all(
        abs(one - other) <= TOLERANCE * max(abs(other), found.list)
        for one, other in zip(found, table, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
