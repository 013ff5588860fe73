"""``check``: hold an artifact or a run against a board's limits; for CI jobs, so little is imported and nothing run."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain.cli.console import emit, print_table, progress
from toolchain.errors import InputError, OverBudgetError
from toolchain.profiles import load
from toolchain.profiles.budget import budget, parse_size
from toolchain.profiles.schema import Profile
from toolchain.reporting.tables import budget_table
from toolchain.verification.check import check_file, check_run

Size = Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow this limit, as in 256KiB.")]


def command(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ARTIFACT|RUN]",
            help="An .onnx, .tflite, .elf or .bin file, or a run's folder; the newest run if none is given.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="The board; by default that of the run."),
    ] = None,
    flash: Size = None,
    sram: Size = None,
    artifact_size: Annotated[
        str | None, typer.Option("--artifact", metavar="SIZE", help="Narrow the artifact, as in 512KiB.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Hold an artifact, or a run with all its artifacts, against a board's limits.

    Nothing is run: sizes come from the files. Exit code 4 if anything is over budget.
    """
    path = artifact or _newest_run()
    run = _run_of(path)
    if profile is None and run is None:
        raise InputError(f"{path} belongs to no run, so the board is not known; add --profile NAME")
    board = load(profile) if profile is not None else _profile_of(run or path)
    narrowing = _narrowing_of(run) if run is not None and profile is None else {}
    given = {"flash_bytes": flash, "sram_bytes": sram, "artifact_bytes": artifact_size}
    narrowing |= {name: parse_size(text) for name, text in given.items() if text is not None}
    limits = budget(board, **narrowing)
    lines = check_run(path, board, limits) if path == run else check_file(path, board, limits)
    over = [line.over for line in lines if line.over]
    document = {
        "checked": str(path),
        "profile": board.name,
        "within_budget": not over,
        "lines": [asdict(line) | {"headroom": line.headroom} for line in lines],
        "over": over,
    }
    table = budget_table(lines)
    if as_markdown and not as_json:
        from toolchain.reporting.markdown import markdown

        print(markdown([table], over), end="")
    else:
        emit(document, as_json, lambda _: print_table(table.columns, table.rows, f"{path} on {board.name}"))
    for sentence in over:
        progress(f"error: {sentence}")
    if over:
        raise typer.Exit(OverBudgetError.exit_code)


def _newest_run() -> Path:
    from toolchain import runs

    return runs.find(None).path


def _run_of(path: Path) -> Path | None:
    """The run's folder that ``path`` is, or that has it among its artifacts."""
    # os.path, because a path that is too long or loops is simply not there.
    if os.path.isdir(path):
        if not os.path.isfile(path / "run.toml"):
            raise InputError(f"{path} is not a run's folder (it has no run.toml); give an artifact or a run")
        return path
    above = Path(os.path.abspath(path)).parents
    return above[1] if len(above) > 1 and os.path.isfile(above[1] / "run.toml") else None


def _profile_of(run: Path) -> Profile:
    from toolchain.runs import RunFolder

    return RunFolder(run).profile()


def _narrowing_of(run: Path) -> dict[str, Any]:
    from toolchain.runs import RunFolder

    return RunFolder(run).settings().limits.model_dump(exclude_none=True)
