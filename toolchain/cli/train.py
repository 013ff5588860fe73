"""``train``: train the architecture of a run, or train it again with other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain import runs
from toolchain.cli.console import emit, print_table, progress
from toolchain.durations import parse_duration

Run = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN]", help="The run's folder; the newest under runs/ if none is given."),
]


def command(
    run: Run = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs in all, float and integer.")] = None,
    time_budget: Annotated[
        str | None, typer.Option(help="Train for about this long, such as 90s or 10m.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=runs.MOST_SEED, help="Seed of initial weights and order of images."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train the architecture that a run found: float first, then in the integers that will run.

    What is not given stays as the run's settings say. Artifacts of an earlier training have to be exported again.
    """
    from toolchain.training.run import train_run

    found = runs.find(run)
    seconds = None if time_budget is None else parse_duration(time_budget)
    report = train_run(found, epochs=epochs, time_budget_s=seconds, seed=seed, progress=progress)
    emit({"run": str(found.path)} | report.to_dict(), as_json, _render)


def _render(document: dict[str, Any]) -> None:
    rows = [
        (
            stage,
            f"{document[f'{prefix}validation_accuracy']:.2%}",
            f"{document[f'{prefix}test_accuracy']:.2%}",
        )
        for stage, prefix in (("float", "float_"), ("int8", ""))
        if document[f"{prefix}test_accuracy"] is not None
    ]
    print_table(("accuracy (measured)", "validation>", "test>"), rows)
    for name, count in document.get("small_thresholds", {}).items():
        print(
            f"note: {name} has {count} channels with a threshold under 64, whose firing rates the leak's floor bends"
        )
    if document["is_demonstration"]:
        print(
            "a demonstration on the built-in digits, not a deployable model; search with --data for your own"
        )
    print(f"trained {document['run']}; next: spikenas-deploy export {document['run']}")
