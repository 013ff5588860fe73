"""``inspect``: say what an artifact or a run holds; nothing is run, and any file may be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolchain.cli.console import emit, kib, print_table, printable

if TYPE_CHECKING:
    from toolchain.inspecting.structure import Structure


def command(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ARTIFACT|RUN]",
            help="An .onnx, .tflite, .nir, .safetensors, .elf, .hex, .uf2 or .bin file, a model.json, or a run's "
            "folder; the newest run if none is given.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all tensors and symbols, not only the largest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Show inputs, outputs, states, operators, tensors, bytes and metadata of an artifact, whoever made it.

    Nothing is run, and no other file is opened.
    """
    from toolchain.inspecting.inspect import SCHEMA, inspect_path
    from toolchain.reporting.structure_tables import structure_tables

    path = artifact or _newest_run()
    found = inspect_path(path)
    if as_markdown and not as_json:
        from toolchain.reporting.markdown import markdown

        for part in found:
            print(markdown(structure_tables(part, everything), [_line(part), *part.notes]), end="")
        return

    def render(_: object) -> None:
        for part in found:
            print(printable(_line(part)))
            for table in structure_tables(part, everything):
                print_table(table.columns, table.rows, table.title)
            for note in part.notes:
                print(printable(f"note: {note}"))

    files = [part.document() for part in found]
    emit({"schema": SCHEMA, "inspected": str(path), "files": files}, as_json, render)


def _line(part: Structure) -> str:
    return f"{part.path}: {part.format}, {kib(part.size_bytes)}"


def _newest_run() -> Path:
    from toolchain import runs

    return runs.find(None).path
