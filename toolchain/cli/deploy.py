"""``deploy``: search, train, export and verify in one go."""

from __future__ import annotations

from typing import Annotated

import typer

from exporters.base import FORMATS, exporter
from toolchain.cli.console import progress
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


def command(
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
    epochs: Epochs = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help=f"{', '.join(FORMATS)}; may be repeated; by default the profile's own."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Test images to verify on; by default all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """From a board's limits to verified artifacts: search, train, export and verify.

    Exit code 4 if nothing fits or an artifact is over budget, 5 if integers or footprint differ from the
    reference and the prediction.
    """
    from toolchain.cli.search import train_found
    from toolchain.cli.verdicts import conclude
    from toolchain.delivery import export_run, verify_run
    from toolchain.search.run import search_run

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
    for name in formats or ():
        exporter(name)  # a wrong name must not be found after minutes of training
    run, _ = search_run(load(profile), settings, out=out, progress=progress)
    train_found(run)
    export_run(run, formats or (), progress=progress)
    conclude(run, verify_run(run, samples=samples, progress=progress), as_json)
