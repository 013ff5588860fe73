"""A verdict on the terminal, for every verb that ends in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from toolchain.cli.console import emit, print_table, printable, progress
from toolchain.reporting.kernel_table import kernel_table
from toolchain.reporting.tables import verdict_tables
from toolchain.runs import RunFolder
from toolchain.verification.verdict import Verdict

if TYPE_CHECKING:
    from exporters.c.explanation import LayerKernel


def conclude(
    run: RunFolder, verdict: Verdict, as_json: bool, kernels: Sequence[LayerKernel] | None = None
) -> None:
    """Print ``verdict`` and every failure, and end the verb with the exit code that follows from it.

    ``kernels``, where given, are told before it.
    """
    told = {} if kernels is None else {"kernels": [asdict(layer) for layer in kernels]}

    def show(_: object) -> None:
        render_kernels(kernels or ())
        render(verdict)

    emit({"run": str(run.path)} | verdict.document() | told, as_json, show)
    fail(verdict)


def fail(verdict: Verdict) -> None:
    """Say what failed and leave with its exit code; returns if nothing did."""
    for failure in verdict.failures:
        progress(f"error: {failure.message}")
    error = verdict.error()
    if error is not None:
        raise typer.Exit(error.exit_code)


def render_kernels(kernels: Sequence[LayerKernel]) -> None:
    """Print which kernel runs each layer, and a line for each that says why."""
    if kernels:
        table = kernel_table(kernels)
        print_table(table.columns, table.rows, table.title)
        for layer in kernels:
            print(printable(f"{layer.layer}: {layer.reason}"))


def render(verdict: Verdict) -> None:
    """Print the tables of ``verdict``, its notes, and whether it is passed."""
    for table in verdict_tables(verdict):
        if table.rows:
            print_table(table.columns, table.rows, table.title)
    for note in verdict.notes:
        print(printable(f"note: {note}"))
    print(outcome(verdict))


def outcome(verdict: Verdict) -> str:
    """The last line: passed or failed, for which board, on what evidence."""
    state = "passed" if verdict.passed else "FAILED"
    boards = [each.board for each in verdict.boards] + [run.description for run in verdict.consoles]
    where = f"also run on {' and '.join(boards)}" if boards else "nothing here was measured on a board"
    return f"{state} for {verdict.profile}; {where}"
