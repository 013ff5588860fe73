"""What every verb prints with: data to stdout, progress to stderr, sizes and tables in one form."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from toolchain.escapes import visible

Document = TypeVar("Document")

WIDTH_WITHOUT_TERMINAL = 200
"""Columns a table may take when stdout is a file or a pipe, where nothing should be wrapped for a screen."""


def progress(message: str) -> None:
    """Tell a waiting user what is happening now; one line on stderr."""
    print(printable(message), file=sys.stderr, flush=True)


def emit(document: Document, as_json: bool, render: Callable[[Document], None]) -> None:
    """Print a verb's result on stdout: as one JSON document, or as text through ``render(document)``.

    Call it once, at the end: a verb that fails prints nothing of it. A verb whose result is a verdict
    emits it and then raises ``typer.Exit(code)``. Raises ``TypeError`` or ``ValueError`` for what JSON
    cannot say, NaN and infinity included.
    """
    if as_json:
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        render(document)


def kib(n_bytes: int) -> str:
    """A size for people: ``196608 -> "192 KiB"``, ``700 -> "0.7 KiB"``; MiB and GiB from ten on."""
    unit, size = next(
        (unit, size)
        for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
        if abs(n_bytes) >= 10 * size or unit == "KiB"
    )
    digits = 0 if n_bytes % size == 0 else 1
    return f"{n_bytes / size:,.{digits}f} {unit}"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows under their column names on stdout; a column whose name ends in ``>`` is set flush right.

    Colour and width follow the terminal, ``NO_COLOR`` and ``TERM``.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = WIDTH_WITHOUT_TERMINAL
    table = Table(
        title=title and Text(printable(title)),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for index, name in enumerate(columns):
        right = name.endswith(">")
        # The first column is what a row is called by; where the screen is narrow the others fold.
        table.add_column(
            name.removesuffix(">"), justify="right" if right else "left", overflow="fold", no_wrap=index == 0
        )
    for row in rows:
        # Text, not markup: a cell may hold brackets, and names from files must not style themselves.
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console.print(table)


def printable(text: str) -> str:
    """``text`` with control characters escaped but for tab and newline: no file name drives the terminal."""
    return visible(text, keep="\n\t")
