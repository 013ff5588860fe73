"""``deploy``: search, train, export, verify and report in one go."""

from __future__ import annotations

import typer

from toolchain.architecture.snasnet import SPACE, refuse
from toolchain.cli.console import progress
from toolchain.cli.export_options import Formats, Samples
from toolchain.cli.interruption import on_interrupt, options_given
from toolchain.cli.run_options import (
    Algorithm,
    Bits,
    Board,
    Channels,
    Data,
    Energy,
    Epochs,
    Frames,
    Json,
    Latency,
    Limit,
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
    workers,
)
from toolchain.profiles import load


def command(
    context: typer.Context,
    profile: Board,
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
    epochs: Epochs = None,
    formats: Formats = None,
    samples: Samples = None,
    as_json: Json = False,
) -> None:
    """From a board's limits to verified artifacts: search, train, export, verify and report.

    Exit code 4 if nothing fits or an artifact is over budget, 5 if integers or footprint differ from the
    reference and the prediction, 6 if a compiler or emulator is missing.
    """
    from toolchain.cli.search import searched, train_found
    from toolchain.cli.verdicts import conclude
    from toolchain.delivery import export_run, require_tools, verify_run
    from toolchain.reporting.publishing import publish
    from toolchain.search.run import begin_run

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
    if algorithm == SPACE:
        raise refuse("A deployment")
    board = load(profile)
    require_tools(
        board, formats or (), targets or ()
    )  # what is missing must not be found after minutes of training
    run, images = begin_run(board, settings, out=out, progress=progress)
    searched(run, images, workers(worker_count, ray))
    train_found(run)
    rest = ["export", str(run.path), *options_given(context, ("formats", "targets", "samples"))]
    with on_interrupt("interrupted; export and verify the trained network with", rest):
        export_run(run, formats or (), targets or (), progress=progress)
        verdict = verify_run(run, samples=samples, progress=progress)
    with on_interrupt("interrupted; write the report with", ["report", str(run.path)]):
        progress(f"report: {publish(run, samples=samples, progress=progress)[1]}")
    conclude(run, verdict, as_json)
