"""What each part of the training recipe is worth: the same network trained with and without it.

    python -m benchmarks.ablation --data fashion_mnist   one seed of each variant, 20 core minutes
    python -m benchmarks.ablation --data cifar10 --seeds 3 --epochs 6 2   more
    python -m benchmarks.ablation --data fashion_mnist --json             one JSON document

Every variant differs from the one that ``builds on`` names in one thing. Qualities are those of validation and test
images at the end of training; a variant is judged by validation images, and test images are there to check.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from toolchain import datasets
from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.datasets import Dataset
from toolchain.graph.nodes import Shape
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.course import Course
from toolchain.training.evaluation import quality
from toolchain.training.memory import keep_memory
from toolchain.training.objective import objective
from toolchain.training.recipe import Recipe

NETWORK = "t2 leak2 reset-subtract stem16/2 003000 stride32 003000 head-count"
PLAIN: dict[str, Any] = {"average": 0.0, "shift": 0.0, "mirror": False, "label_smoothing": 0.0}


@dataclass(frozen=True)
class Variant:
    """A recipe: ``changes`` to the one that it builds on."""

    name: str
    builds_on: str | None
    changes: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("plain", None, PLAIN),
    Variant("bfloat16", "plain", {"precision": "bfloat16"}),
    Variant("averaged weights", "bfloat16", {"average": 0.998}),
    Variant("shifted images", "averaged weights", {"shift": 1 / 16}),
    Variant("mirrored images", "shifted images", {"mirror": True}),
    Variant("label smoothing 0.1", "mirrored images", {"label_smoothing": 0.1}),
    Variant("weight decay 0.01", "mirrored images", {"weight_decay": 0.01}),
    Variant("warm-up 5 %", "mirrored images", {"warm_up": 0.05}),
    Variant("twice the learning rate", "mirrored images", {"float_rate": 1e-2}),
    Variant("a teacher", "mirrored images", {"distillation": 0.5, "teacher_epochs": 2}),
    Variant("half the spikes", "mirrored images", {"spike_rate": 0.06}),
)


def plan_of(variant: Variant, epochs: tuple[int, int], batch: int) -> Recipe:
    """The recipe of a variant, those it builds on first."""
    before = next((one for one in VARIANTS if one.name == variant.builds_on), None)
    plan = Recipe(*epochs, batch) if before is None else plan_of(before, epochs, batch)
    return replace(plan, **variant.changes)


def train(variant: Variant, data: Dataset, text: str, epochs: tuple[int, int], seed: int) -> dict[str, Any]:
    """Train one variant from one seed."""
    plan = plan_of(variant, epochs, 128)
    pixels = Shape(*data.train.images.shape[-3:])
    graph = build(parse(text), pixels, data.preprocessing, data.labels, data.shifts)
    task = objective(data, label_smoothing=plan.label_smoothing)
    course, start = (
        Course(SpikingNetwork(graph, seed=seed), data.train, task, plan, seed=seed),
        time.process_time(),
    )
    quantized = course.run()
    seconds = time.process_time() - start
    judged = {
        f"{form}_{part}": quality(network, getattr(data, part), task)
        for form, network in (("float", course.float_network), ("integer", quantized))
        for part in ("validation", "test")
    }
    return {"variant": variant.name, "seed": seed, "cpu_seconds": round(seconds)} | judged


def table(found: list[dict[str, Any]]) -> str:
    """Markdown; means over seeds, and the step from the variant that each builds on."""
    lines = [
        "| recipe | builds on | integer validation | change | integer test | float test | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    means = {
        name: {key: fmean(row[key] for row in rows) for key in rows[0] if key not in ("variant", "seed")}
        for name in dict.fromkeys(row["variant"] for row in found)
        if (rows := [row for row in found if row["variant"] == name])
    }
    for variant in VARIANTS:
        if (row := means.get(variant.name)) is None:
            continue
        before = means.get(variant.builds_on or "")
        change = (
            ""
            if before is None
            else f"{100 * (row['integer_validation'] - before['integer_validation']):+.2f}"
        )
        lines.append(
            f"| {variant.name} | {variant.builds_on or ''} | {row['integer_validation']:.2%} | {change} "
            f"| {row['integer_test']:.2%} | {row['float_test']:.2%} | {row['cpu_seconds']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="an image folder, a CIFAR archive or fashion_mnist")
    parser.add_argument("--network", default=NETWORK, help="the architecture's text")
    parser.add_argument(
        "--epochs", type=int, nargs=2, default=(3, 1), help="of the float and the integer phase"
    )
    parser.add_argument("--only", action="append", help="names of variants; all if none is given")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each variant")
    parser.add_argument("--limit", type=int, help="take at most so many images of each part")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    source = options.data if options.data == "fashion_mnist" else Path(options.data)
    data = datasets.load(source, limit=options.limit)
    chosen = [one for one in VARIANTS if not options.only or one.name in options.only]
    found = []
    for seed in range(options.seeds):
        for variant in chosen:
            found.append(train(variant, data, options.network, tuple(options.epochs), seed))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps(found, indent=2) if options.json else table(found))


if __name__ == "__main__":
    main()
