"""``search``: find a network that fits a board and train it, or say beforehand what would fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolchain import runs
from toolchain.cli import impact_tables, search_tables
from toolchain.cli.console import emit, progress
from toolchain.cli.interruption import on_interrupt, on_interrupted_training
from toolchain.cli.run_options import (
    Algorithm,
    Bits,
    Channels,
    Data,
    Energy,
    Epochs,
    Frames,
    Json,
    Latency,
    Limit,
    OptionalBoard,
    Out,
    RayAddress,
    Seed,
    Shipped,
    Side,
    Size,
    Synops,
    TimeBudget,
    WorkerCount,
    run_settings,
    without_training,
    workers,
)
from toolchain.profiles import load
from toolchain.runs import RunFolder

if TYPE_CHECKING:
    from toolchain.datasets import Dataset
    from toolchain.search.executors import Workers

NoTrain = Annotated[bool, typer.Option("--no-train", help="Do not train the network found.")]


def command(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="With --resume, --front, --pick, --analyze-operations: the run; else the newest.",
        ),
    ] = None,
    profile: OptionalBoard = None,
    data: Data = None,
    size: Side = None,
    channels: Channels = None,
    limit: Limit = None,
    frames: Frames = None,
    flash: Size = None,
    sram: Size = None,
    artifact: Size = None,
    resident: Size = None,
    latency: Latency = None,
    energy: Energy = None,
    synops: Synops = None,
    targets: Shipped = None,
    algorithm: Algorithm = "spikenas",
    bits: Bits = "8",
    time_budget: TimeBudget = None,
    seed: Seed = 0,
    out: Out = None,
    worker_count: WorkerCount = None,
    ray: RayAddress = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what fits and which limit binds; write nothing.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with an interrupted search or training; what has ended is not repeated."
        ),
    ] = False,
    front: Annotated[
        bool, typer.Option("--front", help="Show a run's Pareto front and all it trained.")
    ] = False,
    pick: Annotated[
        str | None, typer.Option(metavar="ID", help="Take this candidate of a run instead of its winner.")
    ] = None,
    analyze_operations: Annotated[
        bool,
        typer.Option(
            "--analyze-operations", help="Say what each operation of cells is worth; choose no network."
        ),
    ] = False,
    no_train: NoTrain = False,
    epochs: Epochs = None,
    as_json: Json = False,
) -> None:
    """Find a network that fits a board, and train it.

    Candidates over budget are dropped before any forward pass; of the rest a pool trains in rungs, and the
    smallest within the noise of the best is taken. Without --data the built-in digits are used: a demonstration,
    not a network worth deploying. Exit code 4 if nothing fits.
    """
    from toolchain.search import documents
    from toolchain.search.run import begin_run, pick_run, plan_run, search_found

    other = algorithm != "spikenas" or bits != "8"
    if analyze_operations and (front or pick is not None or dry_run or other):
        raise typer.BadParameter(
            "--analyze-operations chooses no network; leave --front, --pick, --dry-run, --algorithm and --bits away"
        )
    if sum([front, pick is not None, resume, dry_run]) > 1:
        raise typer.BadParameter("give one of --front, --pick, --resume and --dry-run")
    if analyze_operations and run is not None and not resume:
        from toolchain.search.impact.run import impact_found

        analyzed = runs.find(run, ended=False)
        emit({"run": str(analyzed.path)} | impact_found(analyzed), as_json, impact_tables.show_impact)
        return
    if front:
        shown = runs.find(run)
        emit({"run": str(shown.path)} | search_found(shown), as_json, search_tables.show_front)
        return
    if pick is not None:
        picked, candidate = pick_run(runs.find(run), pick, out=out)
        _conclude(picked, candidate, no_train, as_json)
        return
    if resume and analyze_operations:
        _analyze(runs.find(run, ended=False), None, workers(worker_count, ray), as_json)
        return
    if resume:
        resumed = runs.find(run, ended=False)
        if resumed.was_picked:
            _conclude(resumed, search_found(resumed), no_train, as_json)
        else:
            _search(resumed, None, workers(worker_count, ray), no_train, as_json)
        return
    if run is not None:
        raise typer.BadParameter("a run is named with --resume, --front or --pick; give a new one with --out")
    if profile is None:
        raise typer.BadParameter("which board? give --profile (`spikenas-deploy profiles list` lists them)")
    settings = run_settings(
        data=data,
        size=size,
        channels=channels,
        limit=limit,
        frames=frames,
        flash=flash,
        sram=sram,
        artifact=artifact,
        resident=resident,
        latency=latency,
        energy=energy,
        synops=synops,
        algorithm=algorithm,
        bits=bits,
        time_budget=time_budget,
        seed=seed,
        epochs=epochs,
        targets=targets,
    )
    board = load(profile)
    if dry_run:
        plan = plan_run(board, settings, progress=progress)
        emit(documents.dry_run_document(plan), as_json, search_tables.show_plan)
        return
    if analyze_operations:
        begun, images = begin_run(board, without_training(settings), out=out, progress=progress)
        _analyze(begun, images, workers(worker_count, ray), as_json)
        return
    begun, images = begin_run(
        board, without_training(settings) if no_train else settings, out=out, progress=progress
    )
    _search(begun, images, workers(worker_count, ray), no_train, as_json)


def searched(run: RunFolder, data: Dataset | None, processes: Workers) -> dict[str, Any]:
    """Search in ``run``; when interrupted, say how to go on."""
    from toolchain.search.run import search_found, search_run

    with on_interrupt("interrupted; go on with", ["search", "--resume", str(run.path)]):
        search_run(run, data, workers=processes, progress=progress)
    return search_found(run)


def train_found(run: RunFolder) -> dict[str, Any]:
    """Train what a search has found, or end a training of it; when interrupted, say how to go on."""
    from toolchain.training.run import finish_training

    with on_interrupted_training(run):
        return finish_training(run, progress=progress)


def _analyze(run: RunFolder, data: Dataset | None, processes: Workers, as_json: bool) -> None:
    from toolchain.search.impact.run import analyze_run

    rest = ["search", "--resume", "--analyze-operations", str(run.path)]
    with on_interrupt("interrupted; go on with", rest):
        found = analyze_run(run, data, workers=processes, progress=progress)
    emit({"run": str(run.path)} | found, as_json, impact_tables.show_impact)


def _search(run: RunFolder, data: Dataset | None, processes: Workers, no_train: bool, as_json: bool) -> None:
    _conclude(run, searched(run, data, processes), no_train, as_json)


def _conclude(run: RunFolder, found: dict[str, Any], no_train: bool, as_json: bool) -> None:
    document = {"run": str(run.path)} | found
    if not no_train:
        document["training"] = train_found(run)
    emit(document, as_json, search_tables.show_result)
