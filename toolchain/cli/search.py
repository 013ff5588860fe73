"""``search``: find a network that fits a board and train it, or say beforehand what would fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from toolchain.cli import search_tables
from toolchain.cli.console import emit, progress
from toolchain.durations import parse_duration, parse_milliseconds
from toolchain.profiles import load
from toolchain.profiles.budget import parse_size
from toolchain.runs import (
    DataSettings,
    LimitSettings,
    RunFolder,
    RunSettings,
    SearchSettings,
    TrainingSettings,
)

Value = TypeVar("Value")
Size = Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow this limit, as in 256KiB.")]


def command(
    profile: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The board: a shipped profile's name, or a .toml file.")
    ],
    data: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Labelled images; the built-in digits if none are given."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1024, help="Resize images to N x N pixels.")
    ] = None,
    channels: Annotated[
        Literal["grey", "rgb"] | None, typer.Option(help="Convert images to these channels.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Take at most N images of each part.")
    ] = None,
    flash: Size = None,
    sram: Size = None,
    artifact: Size = None,
    latency: Annotated[
        str | None, typer.Option(metavar="TIME", help="Narrow or set the time for an image, as in 20ms.")
    ] = None,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="End the scoring of candidates after this, as in 60s.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the search and the training.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; by default a new one under runs/.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what fits and which limit binds; write nothing.")
    ] = False,
    no_train: Annotated[bool, typer.Option("--no-train", help="Do not train the network found.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of training in all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find a network that fits a board, and train it.

    Candidates over budget are dropped before any forward pass; the rest are scored without training. Without
    --data the built-in digits are used: a demonstration, not a network worth deploying. Exit code 4 if nothing
    fits.
    """
    from toolchain.search import documents
    from toolchain.search.run import plan_run, search_run

    settings = RunSettings(
        data=DataSettings(source=data, size=size, channels=channels, limit=limit),
        limits=LimitSettings(
            flash_bytes=_given(flash, parse_size),
            sram_bytes=_given(sram, parse_size),
            artifact_bytes=_given(artifact, parse_size),
            latency_ms=_given(latency, parse_milliseconds),
        ),
        search=SearchSettings(seed=seed, time_budget_s=_given(time_budget, parse_duration)),
        training=TrainingSettings(seed=seed, epochs=epochs),
    )
    board = load(profile)
    if dry_run:
        plan = plan_run(board, settings, progress=progress)
        emit(documents.dry_run_document(plan), as_json, search_tables.show_plan)
        return
    run, result = search_run(board, settings, out=out, progress=progress)
    document: dict[str, Any] = {"run": str(run.path)} | documents.search_document(result)
    if not no_train:
        document["training"] = _train(run)
    emit(document, as_json, search_tables.show_result)


def _given(text: str | None, parse: Callable[[str], Value]) -> Value | None:
    return None if text is None else parse(text)


def _train(run: RunFolder) -> dict[str, Any]:
    from toolchain.training.run import train_run

    try:
        return train_run(run, progress=progress).to_dict()
    except KeyboardInterrupt:
        progress(f"interrupted; train the network that was found with: spikenas-deploy train {run.path}")
        raise
