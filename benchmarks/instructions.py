"""Fit what each thing that the firmware's kernels do takes in instructions, for each core and installed compiler.

    python -m benchmarks.instructions            write toolchain/cost/instructions.toml anew (some three minutes)
    python -m benchmarks.instructions --check    compare the table with other networks than it was fitted to
    python -m benchmarks.instructions --quick    the same on one core with one compiler and two networks

Small random networks are exported, linked and emulated. The instructions between the entries of their kernels are
each node's own, so one network gives as many equations as it has nodes. Non-negative least squares of relative errors
turn them into prices (``toolchain.cost.microcontroller``). Cores that unicorn does not have get another's (``SAME``),
an Xtensa LX7 what a Cortex-M3 takes, by ``XTENSA``: nothing here runs it. What is not installed keeps its old numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.instruction_networks import random_network
from exporters.c import compilers, export
from exporters.c.build import build
from toolchain import profiles
from toolchain.cost.code_size import Compiler
from toolchain.cost.graph_demand import node_demand
from toolchain.cost.microcontroller import EVENTS, PRICED, TABLE, WORK, graph_instructions
from toolchain.cost.work import Events
from toolchain.errors import SpikenasError
from toolchain.files import read_toml, write_atomic
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif
from toolchain.profiles.schema import Core, Profile
from toolchain.verification.instruction_count import thumb_instructions
from toolchain.verification.runtimes.unicorn import UnicornRuntime
from toolchain.verification.spike_events import node_events, spike_events

BOARD = "stm32f405"
"""Whose memories the images are linked into."""

MODELS: dict[Core, str] = {
    "cortex-m0plus": "CORTEX_M0",
    "cortex-m3": "CORTEX_M3",
    "cortex-m4": "CORTEX_M4",
    "cortex-m7": "CORTEX_M7",
    "cortex-m33": "CORTEX_M33",
}
"""Cores that are measured, and what unicorn calls them (an M0 has the instructions of an M0+)."""

SAME: dict[Core, Core] = {"cortex-m55": "cortex-m33"}
"""Cores that unicorn does not have, and those whose kernels theirs are."""

XTENSA = 1.15
"""Estimate: a Xtensa LX7 has no flexible second operand and no conditional execution, but NSAU to count zeros."""

FITTED, CHECKED = range(10), range(100, 104)
"""Seeds of the networks that prices are fitted to, and of those that they are checked with."""

IMAGES = 2
KERNELS = ("snn_pixel", "snn_frames", "snn_spike_8", "snn_spike_4", "snn_spike_2", "snn_pass", "snn_or_pool")
HEADS = ("snn_head", "snn_packed_head")

Vector = NDArray[np.float64]

HEADER = """\
# Instructions for one of each thing that the firmware's kernels do, fitted by `python -m benchmarks.instructions` to
# what was counted under emulation; toolchain/cost/work.py says what each is. `estimate`: not counted.
"""


@dataclass(frozen=True)
class Counted:
    """``amounts`` of ``PRICED`` [nodes * images, priced], and the ``instructions`` that each took."""

    amounts: Vector
    instructions: Vector


def counted(graph: Graph, profile: Profile, compiler: Compiler, images: NDArray[np.uint8]) -> Counted:
    """What each node of ``graph`` was counted to execute for each of ``images``."""
    amounts, instructions = [], []
    nodes = [node.name for node in graph.nodes[1:]]
    with tempfile.TemporaryDirectory() as folder:
        export(graph, profile, Path(folder))
        runtime = UnicornRuntime(build(Path(folder) / "c", profile, compiler).elf, profile, graph)
        for image in images:
            trace = next(reference.traces(graph, image[None]))
            with by_kernel(runtime) as parts:
                scores = runtime.scores(image[None])
            if not np.array_equal(scores, trace.scores) or len(parts) != len(nodes):
                raise SystemExit(f"the firmware for {profile.core} does not compute what the reference does")
            events = node_events(graph, trace.spikes, _sharing(graph))
            for node, count in zip(graph.nodes[1:], parts, strict=True):
                amounts.append(_amounts(graph, node, events.get(node.name, Events())))
                instructions.append(count)
    return Counted(np.array(amounts, float), np.array(instructions, float))


def _sharing(graph: Graph) -> list[str]:
    """The nodes that share rows between time steps: all, where no image decided."""
    return [node.name for node in graph.all(Lif)]


@contextmanager
def by_kernel(runtime: UnicornRuntime) -> Iterator[list[int]]:
    """The instructions from the entry of each kernel to that of the next, in the order of their calls.

    The last, the head, has what follows until the firmware idles.
    """
    machine, image = runtime._machine, runtime.image
    names = {symbol.name: symbol.address & ~1 for symbol in image.objects}
    entries = {names[name] for name in (*KERNELS, *HEADS) if name in names}
    parts: list[Counter[tuple[int, int]]] = []

    def on_block(_core: Any, address: int, size: int, _: Any) -> None:
        if address in entries:
            parts.append(Counter())
        if parts:
            parts[-1][address, size] += 1

    hook = machine.core.hook_add(machine.unicorn.UC_HOOK_BLOCK, on_block)
    machine.core.ctl_flush_tb()
    found: list[int] = []
    try:
        yield found
    finally:
        machine.core.hook_del(hook)
        machine.core.ctl_flush_tb()
    sizes = {block: thumb_instructions(machine.read(*block)) for part in parts for block in part}
    found += [sum(sizes[block] * times for block, times in part.items()) for part in parts]


def _amounts(graph: Graph, node: Any, events: Events) -> list[float]:
    work = node_demand(graph, node)
    return [
        *(float(getattr(work, name)) for name in WORK),
        *(float(getattr(events, name)) for name in EVENTS),
    ]


def fit(parts: list[Counted]) -> dict[str, float]:
    """Prices of ``PRICED`` with the least squares of relative errors, none of them negative."""
    from scipy.optimize import nnls

    amounts = np.concatenate([part.amounts for part in parts])
    instructions = np.concatenate([part.instructions for part in parts])
    # What takes few instructions in all may be further off.
    weight = 1 / (instructions + 2000)
    rows = amounts * weight[:, None]
    scale = np.where(rows.any(0), np.linalg.norm(rows, axis=0), 1.0)
    found, _ = nnls(rows / scale, instructions * weight, maxiter=100 * len(PRICED))
    return dict(zip(PRICED, (round(float(price), 2) for price in found / scale), strict=True))


def errors(core: Core, compiler: Compiler, seeds: range, model: str) -> list[float]:
    """Relative errors of the table over whole networks, an image each, at the image's own spikes."""
    profile, found = _profile(core, model), []
    for seed in seeds:
        graph, images = random_network(seed, IMAGES)
        measured = counted(graph, profile, compiler, images)
        for index, image in enumerate(images):
            trace = next(reference.traces(graph, image[None]))
            nodes = len(graph.nodes) - 1
            total = measured.instructions[index * nodes : (index + 1) * nodes].sum()
            found.append(
                graph_instructions(graph, core, spike_events(graph, trace.spikes, _sharing(graph)), compiler)
                / total
                - 1
            )
    return found


def main(arguments: list[str]) -> int:
    """Write the table, or hold it against networks that it was not fitted to."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions", description="Fit the prices of instructions."
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--check", action="store_true", help="compare the table with other networks")
    extent.add_argument("--quick", action="store_true", help="the same, on one core with one compiler")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON document")
    given = parser.parse_args(arguments)
    if not (given.check or given.quick):
        write_atomic(TABLE, HEADER + _toml(_measured(read_toml(TABLE) if TABLE.exists() else {})))
        return 0
    found = []
    for compiler in compilers.available()[: 1 if given.quick else None]:
        for core in ("cortex-m4",) if given.quick else MODELS:
            off = errors(core, compiler, CHECKED[:2] if given.quick else CHECKED, MODELS[core])
            found.append(
                {
                    "core": core,
                    "compiler": compiler,
                    "median_error": float(np.median(np.abs(off))),
                    "largest_error": float(np.max(np.abs(off))),
                    "images": len(off),
                }
            )
            if not given.json:
                print(
                    "{core} {compiler}: median {median_error:.1%}, largest {largest_error:.1%}".format(
                        **found[-1]
                    )
                )
    if given.json:
        print(json.dumps(found, indent=2))
    return 0


def _measured(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    measured: dict[str, dict[str, Any]] = dict(table)
    for compiler in compilers.available():
        measured[compiler] = {"version": compilers.version(compiler)}
        for core, model in MODELS.items():
            print(f"measuring {core} with {compiler}", file=sys.stderr)
            profile = _profile(core, model)
            networks = (random_network(seed, IMAGES) for seed in FITTED)
            measured[compiler][core] = fit(
                [counted(graph, profile, compiler, images) for graph, images in networks]
            )
        for core, other in SAME.items():
            measured[compiler][core] = measured[compiler][other]
    like = next((measured[each]["cortex-m3"] for each in ("zig", "gcc") if each in measured), None)
    if like is not None:
        measured["estimate"] = {
            "xtensa-lx7": {name: round(price * XTENSA, 2) for name, price in like.items()}
        }
    return measured


def _profile(core: Core, model: str) -> Profile:
    board = profiles.load(BOARD)
    assert board.emulation is not None
    return board.model_copy(
        update={"core": core, "emulation": board.emulation.model_copy(update={"unicorn_cpu": model})}
    )


def _toml(table: dict[str, dict[str, Any]]) -> str:
    lines = []
    for compiler, cores in table.items():
        if "version" in cores:
            lines += [f"\n[{compiler}]", f'version = "{cores["version"]}"']
        for core, found in cores.items():
            if core != "version":
                lines.append(f"\n[{compiler}.{core}]")
                lines += [f"{name} = {price}" for name, price in found.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SpikenasError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
