"""What a trained network says of test images: confusion matrix or errors, examples, and how its neurons fire.

The reference interpreter computes it, whose integers are those of every artifact that passes its verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolchain.cost.operations import operations
from toolchain.datasets import Dataset
from toolchain.datasets.dataset import Targets
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.reference import predictions
from toolchain.quality import Floats, mean_absolute_errors, r2
from toolchain.reporting.document import Confusion, Example, Number, Outputs
from toolchain.reporting.pictures import data_uri
from toolchain.verification.activity import Activity, SpikeCounter

SHOWN_OPERATIONS = 50_000_000_000
"""Dense synaptic operations for which the reference interpreter takes about a quarter of a minute."""

LEAST_IMAGES = 100
EXAMPLES = 12
"""Most examples of each kind."""

POINTS = 200


@dataclass(frozen=True)
class Observed:
    """What was said of the images, and how the neurons fired."""

    outputs: Outputs
    activity: Activity


def observe(graph: Graph, data: Dataset, samples: int | None, progress: Callable[[str], None]) -> Observed:
    """Run ``graph``, which has weights, on the first ``samples`` test images of ``data``; by default on as many as
    take about a quarter of a minute.
    """
    wanted = samples or max(LEAST_IMAGES, SHOWN_OPERATIONS // operations(graph).dense)
    images, targets = data.test.images[:wanted], data.test.targets[:wanted]
    progress(f"running the reference on {len(images)} of {len(data.test)} test images")
    counter, parts = SpikeCounter(), []
    for trace in reference.traces(graph, images):
        parts.append(trace.scores)
        counter.add(trace.spikes)
    scores = np.concatenate(parts)
    values = graph.values(scores)
    numbers = _numbers(data, values, targets) if data.task == "regression" else []
    confusion = _confusion(data, predictions(scores), values, targets) if not numbers else None
    return Observed(
        Outputs(
            images=len(images),
            of_images=len(data.test),
            evidence="measured",
            confusion=confusion,
            numbers=numbers,
            examples=_errors(data, values, targets) if numbers else [],
        ),
        counter.activity(graph),
    )


def _confusion(data: Dataset, predicted: NDArray[np.int64], values: Floats, targets: Targets) -> Confusion:
    matrix = np.zeros((len(data.labels),) * 2, np.int64)
    np.add.at(matrix, (targets.astype(np.int64), predicted), 1)
    margins = values.max(axis=1) - values[np.arange(len(targets)), targets]
    wrong = np.flatnonzero(predicted != targets)
    worst = wrong[np.argsort(-margins[wrong], kind="stable")][:EXAMPLES]
    right = np.flatnonzero(predicted == targets)
    # One of each class, the first, so that one sees what the classes are.
    firsts = right[np.sort(np.unique(targets[right], return_index=True)[1])][:EXAMPLES]
    return Confusion(
        labels=list(data.labels),
        matrix=matrix.tolist(),
        examples=[
            Example(
                image=int(index),
                target=data.labels[targets[index]],
                predicted=data.labels[predicted[index]],
                right=bool(predicted[index] == targets[index]),
                margin=float(margins[index]),
                picture=data_uri(data.test.images[index]),
            )
            for index in (*worst, *firsts)
        ],
    )


def _numbers(data: Dataset, values: Floats, targets: Targets) -> list[Number]:
    explained, errors = r2(values, targets), mean_absolute_errors(values, targets)
    return [
        Number(
            label=label,
            r2=float(explained[index]),
            mean_absolute_error=float(errors[index]),
            points=[
                (float(target), float(value))
                for target, value in zip(targets[:POINTS, index], values[:POINTS, index], strict=True)
            ],
        )
        for index, label in enumerate(data.labels)
    ]


def _errors(data: Dataset, values: Floats, targets: Targets) -> list[Example]:
    """The images with the largest errors and with the smallest, each error in the units of its number's spread."""
    units = np.array([scale.unit for scale in data.scales])
    errors = (np.abs(values - targets) / units).max(axis=1)
    order = np.argsort(-errors, kind="stable")
    worst = order[: min(EXAMPLES, len(order) // 2)]
    best = order[::-1][: len(worst)]
    return [
        Example(
            image=int(index),
            target=_listed(data.labels, targets[index]),
            predicted=_listed(data.labels, values[index]),
            right=kind == "best",
            margin=float(errors[index]),
            picture=data_uri(data.test.images[index]),
        )
        for kind, chosen in (("worst", worst), ("best", best))
        for index in chosen
    ]


def _listed(labels: tuple[str, ...], numbers: Floats | Targets) -> str:
    return ", ".join(f"{label} {number:.4g}" for label, number in zip(labels, numbers, strict=True))
