"""``search``: find a network that fits a board and train it, or say beforehand what would fit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from toolchain.cli import search_tables
from toolchain.cli.console import emit, progress
from toolchain.cli.interruption import again, on_interrupt
from toolchain.cli.run_options import (
    Board,
    Channels,
    Data,
    Epochs,
    Json,
    Latency,
    Limit,
    Out,
    Seed,
    Side,
    Size,
    TimeBudget,
    run_settings,
)
from toolchain.profiles import load
from toolchain.runs import RunFolder


def command(
    context: typer.Context,
    profile: Board,
    data: Data = None,
    size: Side = None,
    channels: Channels = None,
    limit: Limit = None,
    flash: Size = None,
    sram: Size = None,
    artifact: Size = None,
    latency: Latency = None,
    time_budget: TimeBudget = None,
    seed: Seed = 0,
    out: Out = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what fits and which limit binds; write nothing.")
    ] = False,
    no_train: Annotated[bool, typer.Option("--no-train", help="Do not train the network found.")] = False,
    epochs: Epochs = None,
    as_json: Json = False,
) -> None:
    """Find a network that fits a board, and train it.

    Candidates over budget are dropped before any forward pass; the rest are scored without training. Without
    --data the built-in digits are used: a demonstration, not a network worth deploying. Exit code 4 if nothing
    fits.
    """
    from toolchain.search import documents
    from toolchain.search.run import plan_run, search_run

    settings = run_settings(
        data=data,
        size=size,
        channels=channels,
        limit=limit,
        flash=flash,
        sram=sram,
        artifact=artifact,
        latency=latency,
        time_budget=time_budget,
        seed=seed,
        epochs=epochs,
    )
    board = load(profile)
    if dry_run:
        plan = plan_run(board, settings, progress=progress)
        emit(documents.dry_run_document(plan), as_json, search_tables.show_plan)
        return
    with on_interrupt("start again with", again(context)):
        run, result = search_run(board, settings, out=out, progress=progress)
    document: dict[str, Any] = {"run": str(run.path)} | documents.search_document(result)
    if not no_train:
        document["training"] = train_found(run)
    emit(document, as_json, search_tables.show_result)


def train_found(run: RunFolder) -> dict[str, Any]:
    """Train what a search has just found; when interrupted, say how to go on."""
    from toolchain.training.run import train_run

    with on_interrupt("interrupted; train the network that was found with", ["train", str(run.path)]):
        return train_run(run, progress=progress).to_dict()
