"""``report``: a run as one page to read and to send, or as Markdown or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolchain import runs
from toolchain.cli.console import emit, printable, progress


def command(
    found: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="The run's folder; the newest under runs/ if none is given.",
            show_default=False,
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Set two or more runs side by side, in comparison.html.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page; by default report.html in the run's folder."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Test images to look at; by default those of about a quarter of a minute.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document too.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown too.")] = False,
) -> None:
    """Write all that a run has to show as one HTML page that loads nothing.

    The verdict, a memory map, the search, the network, accuracy by stage, costs, and what it sees in the test images;
    each figure says whether it was measured, emulated or estimated. A run in any state has a page, which names what is
    not there yet and the command that makes it.
    """
    folders = list(found or [])
    if compare and len(folders) < 2:
        raise typer.BadParameter("takes two runs or more", param_hint="--compare")
    if not compare and len(folders) > 1:
        raise typer.BadParameter("takes one run; add --compare to set several side by side", param_hint="RUN")
    from toolchain.reporting.comparison_tables import side_by_side
    from toolchain.reporting.document import as_json as document_of
    from toolchain.reporting.markdown import markdown
    from toolchain.reporting.publishing import publish, publish_comparison
    from toolchain.reporting.report_tables import sentences, tables

    if compare:
        opened = [runs.find(folder) for folder in folders]
        comparison, path = publish_comparison(opened, out=out, samples=samples, progress=progress)
        document, rows, said = document_of(comparison), side_by_side(comparison), []
    else:
        run = runs.find(folders[0] if folders else None, ended=False)
        report, path = publish(run, out=out, samples=samples, progress=progress)
        document, rows, said = document_of(report), list(tables(report).values()), sentences(report)
    if as_markdown and not as_json:
        print(markdown(rows, said), end="")
    else:
        emit(document, as_json, lambda _: print(printable(str(path))))
