"""A verdict on the terminal, for every verb that ends in one."""

from __future__ import annotations

from toolchain.cli.console import print_table, printable
from toolchain.reporting.tables import verdict_tables
from toolchain.verification.verdict import Verdict


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
    return f"{state} for {verdict.profile}; nothing here was measured on a board"
