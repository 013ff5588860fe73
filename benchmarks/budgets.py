"""Train for three budgets of flash, and write what was reached as a table: accuracy against bytes.

    python -m benchmarks.budgets --data cifar10 --out build/budgets                  every row, into build/budgets
    python -m benchmarks.budgets --data cifar10 --out build/budgets --only 96KiB-8bit
    python -m benchmarks.budgets --data cifar10 --out build/budgets --table          the table of what is there

Each row is a run folder; one that was interrupted goes on where it stopped, one that has ended is left alone.
Networks are given here and not searched for: a path of 3x3 convolutions, as wide as weights fit. The budget is for
arrays of weights as packed in flash, and is checked before training, as is the arena of SRAM (at most 128 KiB); the
whole image, code included, is in the table too, predicted for an STM32H743. Accuracies are measured on the test
images; the integer ones are those of the Graph that is exported.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from toolchain import profiles, runs
from toolchain.architecture.build import build
from toolchain.architecture.storage import save_architecture
from toolchain.architecture.text import parse
from toolchain.cost.layout import Layout, layout
from toolchain.datasets import Dataset
from toolchain.durations import spoken
from toolchain.graph.nodes import Shape
from toolchain.graph.storage import load_graph
from toolchain.runs import RunFolder
from toolchain.settings import DataSettings, RunSettings, TrainingSettings
from toolchain.training.run import finish_training

BOARD = "stm32h743"
ARENA_BYTES = 128 << 10
HEAD = "t2 leak2 reset-subtract"


@dataclass(frozen=True)
class Row:
    """A network for a budget of ``weights_bytes``, trained for ``epochs``."""

    name: str
    weights_bytes: int
    architecture: str
    epochs: int


ROWS = (
    Row("96KiB-8bit", 96 << 10, f"{HEAD} stem16/1 003000 stride48 003000 stride64 003000 head-count", 24),
    Row("256KiB-8bit", 256 << 10, f"{HEAD} stem32/1 003000 stride80 003000 stride96 003000 head-count", 5),
    Row("1MiB-8bit", 1 << 20, f"{HEAD} stem64/2 003000 stride128 003000 stride192 003000 head-count", 5),
)

COLUMNS = (
    "weights' budget",
    "network",
    "bits",
    "weights",
    "flash",
    "arena",
    "integer test",
    "float test",
    "epochs (integer)",
    "time",
    "seed",
)


def open_run(row: Row, data: str, out: Path, limit: int | None, epochs: int | None) -> RunFolder:
    """The row's run folder, begun if it is not there."""
    folder = out / row.name
    if (folder / "run.toml").is_file():
        run = runs.find(folder)
        # A kill may have come between the two files.
        save_architecture(parse(row.architecture), run.architecture)
        return run
    # Mirrored images are worth their time only where images are seen often.
    chosen = epochs or row.epochs
    training = TrainingSettings(epochs=chosen, mirror=chosen >= 12)
    source = data if data == "fashion_mnist" else str(Path(data).absolute())
    settings = RunSettings(data=DataSettings(source=source, limit=limit), training=training)
    run = runs.create(folder, profiles.load(BOARD), settings)
    save_architecture(parse(row.architecture), run.architecture)
    return run


def plan(row: Row, data: Dataset) -> Layout:
    """Where the row's bytes go; an error if they do not keep to its budget."""
    pixels = Shape(*data.train.images.shape[-3:])
    graph = build(parse(row.architecture), pixels, data.preprocessing, data.labels)
    found = layout(graph, profiles.load(BOARD))
    weights, arena = weights_bytes(found), found.arena_bytes
    if weights > row.weights_bytes or arena > ARENA_BYTES:
        sys.exit(f"{row.name}: {weights:,} bytes of weights and {arena:,} of arena do not keep to its budget")
    return found


def weights_bytes(found: Layout) -> int:
    """Packed arrays of weights in flash."""
    return sum(constant.size_bytes for constant in found.constants if constant.kind == "weights")


def results(rows: tuple[Row, ...], out: Path) -> Iterator[dict[str, Any]]:
    """What ended runs reached."""
    for row in rows:
        run = RunFolder(out / row.name)
        if run.training.is_file():
            report = json.loads(run.training.read_text())
            found = layout(load_graph(run.path), run.profile())
            kept = (
                "recipe",
                "seed",
                "seconds",
                "float_test_accuracy",
                "test_accuracy",
                "spike_rate",
                "history",
            )
            yield {
                "name": row.name,
                "budget_bytes": row.weights_bytes,
                "architecture": report["architecture"],
                "weights_bytes": weights_bytes(found),
                "arena_bytes": found.arena_bytes,
                "flash_bytes": found.flash_bytes,
                "bits": sorted({node.bits for node in load_graph(run.path).nodes if hasattr(node, "bits")}),
            } | {key: report[key] for key in kept}


def table(found: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for row in found:
        epochs = row["recipe"]["float_epochs"] + row["recipe"]["quantized_epochs"]
        lines.append(
            f"| {row['name']} | `{row['architecture']}` | {', '.join(map(str, row['bits']))} "
            f"| {row['weights_bytes'] / 1024:.1f} KiB | {row['flash_bytes'] / 1024:.1f} KiB "
            f"| {row['arena_bytes'] / 1024:.1f} KiB | {row['test_accuracy']:.2%} | {row['float_test_accuracy']:.2%} "
            f"| {epochs} ({row['recipe']['quantized_epochs']}) | {spoken(row['seconds'])} | {row['seed']} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="an image folder, a CIFAR archive or fashion_mnist")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run folders")
    parser.add_argument("--only", action="append", help="names of rows; all if none is given")
    parser.add_argument("--epochs", type=int, help="in place of each row's own number")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--limit", type=int, help="take at most so many images of each part")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = tuple(row for row in ROWS if not options.only or row.name in options.only)
    for row in () if options.table else rows:
        run = open_run(row, options.data, options.out, options.limit, options.epochs)
        if not run.training.is_file():
            plan(row, run.dataset())
            finish_training(run, progress=lambda line: print(line, file=sys.stderr))
    found = list(results(rows, options.out))
    print(json.dumps(found, indent=2) if options.json else table(found))


if __name__ == "__main__":
    main()
