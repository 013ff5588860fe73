"""Tables as Markdown, for a CI job's summary or a README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolchain.escapes import visible
from toolchain.reporting.tables import Table


def markdown(tables: Iterable[Table], sentences: Iterable[str] = ()) -> str:
    """``tables`` that have rows, each under its title, and then a list of ``sentences``."""
    parts = [_table(table) for table in tables if table.rows]
    listed = "\n".join(f"- {_cell(sentence)}" for sentence in sentences)
    return "\n\n".join([*parts, *([listed] if listed else [])]) + "\n"


def _table(table: Table) -> str:
    names = [column.removesuffix(">") for column in table.columns]
    rules = ["---:" if column.endswith(">") else "---" for column in table.columns]
    return "\n".join([f"### {_cell(table.title)}", "", *(map(_row, [names, rules, *table.rows]))])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    # A name from a file must not end its cell, begin another table or become HTML.
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
    return visible(" ".join(escaped.split()))
