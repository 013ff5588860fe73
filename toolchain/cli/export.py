"""``export``: write a trained run as artifacts, verify them, and end with the footprint against the budget."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from exporters.base import TARGETS, chosen
from toolchain import runs
from toolchain.cli.console import emit, print_table, progress
from toolchain.cli.export_options import Formats, Integrations, Prefix, Samples, Schedule, Targets


def command(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="The run's folder; the newest under runs/ if none is given."),
    ] = None,
    formats: Formats = None,
    targets: Targets = None,
    integrations: Integrations = None,
    prefix: Prefix = None,
    schedule: Schedule = None,
    samples: Samples = None,
    show: Annotated[
        bool, typer.Option("--list", help="List formats, targets, their files and what each needs, and stop.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell which C kernel runs each layer, on what spikes, and why.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Run what was written.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a trained run as ONNX, TFLite or C with firmware, run it, and hold it against the budget.

    Exit code 5 if integers or footprint differ from the reference and the prediction, 4 if over budget, 6 if a
    compiler or emulator is missing.
    """
    if show:
        _list(as_json)
        return
    from toolchain.delivery import explain_run, export_run, is_float, require_tools, verify_run
    from toolchain.reporting.publishing import redraw

    found = runs.find(run)
    if is_float(found):
        verify = False  # the export compares it with torch; there are no integers
    else:
        require_tools(found.profile(), formats or (), targets or (), verify=verify)
    explanation = explain_run(found, formats or (), targets or (), schedule) if explain else None
    had_page = found.has_page  # the export removes it with the verdict, so that no moment shows what is gone
    paths = export_run(
        found,
        formats or (),
        targets or (),
        integrations or (),
        prefix=prefix,
        schedule=schedule,
        progress=progress,
    )
    kernels = explanation() if explanation else None
    verdict = verify_run(found, samples=samples, progress=progress) if verify else None
    if had_page:
        redraw(found, samples=samples, progress=progress)
    from toolchain.cli.verdicts import conclude, render_kernels

    if verdict is not None:
        conclude(found, verdict, as_json, kernels)
        return
    document: dict[str, object] = {"run": str(found.path), "artifacts": [str(path) for path in paths]}
    if kernels is not None:
        document["kernels"] = [asdict(layer) for layer in kernels]

    def render(_: object) -> None:
        render_kernels(kernels or ())
        print(*paths, sep="\n")

    emit(document, as_json, render)


def _list(as_json: bool) -> None:
    columns = ("format", "target", "files", "runs in", "needs")
    rows = [
        (target.format, target.name, " ".join(target.files), target.runs_in, target.needs or "nothing more")
        for target in TARGETS
    ]
    document = [
        asdict(target) | {"default": target in chosen((target.format,), (), ())} for target in TARGETS
    ]
    emit({"targets": document}, as_json, lambda _: print_table(columns, rows, "what export writes"))
