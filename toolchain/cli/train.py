"""``train``: train the architecture of a run, or train it again with other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from toolchain import runs
from toolchain.cli.console import emit, print_table, progress
from toolchain.cli.interruption import on_interrupted_training
from toolchain.cli.search_tables import of_document
from toolchain.durations import parse_duration
from toolchain.profiles.budget import parse_size
from toolchain.settings import MOST_SEED

Run = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN]", help="The run's folder; the newest under runs/ if none is given."),
]


def command(
    run: Run = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs in all, at least one in float and one in integers.")
    ] = None,
    time_budget: Annotated[
        str | None, typer.Option(help="Train for about this long, such as 90s or 10m.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_SEED, help="Seed of initial weights and order of images."),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(help="Also learn from images mirrored left to right; not for digits or text."),
    ] = None,
    teacher: Annotated[
        bool | None, typer.Option(help="First train a larger float network, and learn from it.")
    ] = None,
    spike_rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1,
            help="Share of the dense synaptic operations to aim at, as in 0.08: fewer spikes.",
        ),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(min=0, max=0.99, help="Share of the target that all classes get alike, as in 0.1."),
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(min=0, max=0.99999, help="Decay of an average of weights to end with, as in 0.998."),
    ] = None,
    bits: Annotated[
        Literal["8", "4", "2", "auto"] | None,
        typer.Option(help="Bits of a weight; auto gives each layer as many as the budget holds."),
    ] = None,
    flash: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Narrow the run's flash, as in 64KiB, with --bits auto."),
    ] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Narrow the run's model file, with --bits auto.")
    ] = None,
    precision: Annotated[
        Literal["float32", "bfloat16"] | None,
        typer.Option(help="Of the float phase; by default what the processor is fastest with."),
    ] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="Go on with a training that did not end, as it was begun; or give it up and begin anew.",
        ),
    ] = None,
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Also draw curves, into RUN/tensorboard (extra tensorboard)."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train the architecture that a run found: float first, then in the integers that will run.

    What is not given stays as the run's settings say. Artifacts of an earlier training have to be exported again.
    """
    from toolchain.training.recipe import TEACHER_LOSS
    from toolchain.training.run import train_run

    found = runs.find(run)
    wanted = {
        "epochs": epochs,
        "time_budget_s": None if time_budget is None else parse_duration(time_budget),
        "seed": seed,
        "mirror": mirror,
        "distillation": None if teacher is None else TEACHER_LOSS * teacher,
        "spike_rate": spike_rate,
        "label_smoothing": label_smoothing,
        "average": average,
        "precision": precision,
        "bits": int(bits) if bits is not None and bits != "auto" else bits,
    }
    changes = {name: value for name, value in wanted.items() if value is not None}
    sizes = {"flash_bytes": flash, "artifact_bytes": artifact}
    limits = {name: parse_size(size) for name, size in sizes.items() if size is not None}
    if resume and (changes or limits):
        raise typer.BadParameter(
            "goes on as the training was begun; leave the other options out", param_hint="--resume"
        )
    with on_interrupted_training(found):
        report = train_run(
            found, changes=changes, limits=limits, resume=resume, tensorboard=tensorboard, progress=progress
        )
    emit({"run": str(found.path)} | report.to_dict(), as_json, _render)


def _render(document: dict[str, Any]) -> None:
    measure = of_document(document)
    rows = [
        (
            stage,
            measure.text(document[f"{prefix}validation_{measure.name}"]),
            measure.text(document[f"{prefix}test_{measure.name}"]),
        )
        for stage, prefix in (("float", "float_"), ("integers", ""))
        if document[f"{prefix}test_{measure.name}"] is not None
    ]
    print_table((f"{measure.title} (measured)", "validation>", "test>"), rows)
    narrow = {name: bits for name, bits in document.get("bits", {}).items() if bits < 8}
    if narrow:
        print(
            "bits of weights: "
            + ", ".join(f"{name} {bits}" for name, bits in narrow.items())
            + "; all others 8"
        )
    for name, steps in document.get("lost_exponents", {}).items():
        print(f"note: channels of {name} gave up {steps} powers of two of their scale to stay within int16")
    for name, count in document.get("small_thresholds", {}).items():
        print(
            f"note: {name} has {count} channels with a threshold under 64, whose firing rates the leak's floor bends"
        )
    if document["is_demonstration"]:
        print(
            "a demonstration on the built-in digits, not a deployable model; search with --data for your own"
        )
    print(f"trained {document['run']}; next: spikenas-deploy export {document['run']}")
