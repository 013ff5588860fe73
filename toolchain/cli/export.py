"""``export``: write a trained run as artifacts, verify them, and end with the footprint against the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exporters.base import FORMATS
from toolchain import runs
from toolchain.cli.console import emit, progress


def command(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="The run's folder; the newest under runs/ if none is given."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help=f"{', '.join(FORMATS)}; may be repeated; by default the profile's own."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Test images to verify on; by default all.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Run what was written.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a trained run as ONNX, TFLite or C with firmware, run it, and hold it against the budget.

    Exit code 5 if integers or footprint differ from the reference and the prediction, 4 if over budget.
    """
    from toolchain.delivery import export_run, verify_run

    found = runs.find(run)
    paths = export_run(found, formats or (), progress=progress)
    if not verify:
        document = {"run": str(found.path), "artifacts": [str(path) for path in paths]}
        emit(document, as_json, lambda _: print(*paths, sep="\n"))
        return
    from toolchain.cli.verdicts import conclude

    conclude(found, verify_run(found, samples=samples, progress=progress), as_json)
