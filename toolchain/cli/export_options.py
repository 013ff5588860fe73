"""The options of an export, the same for every verb that exports."""

from __future__ import annotations

from typing import Annotated

import typer

from exporters.base import FORMATS, TARGETS

Formats = Annotated[
    list[str] | None,
    typer.Option("--format", help=f"{', '.join(FORMATS)}; may be repeated; by default the profile's own."),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        help=f"What will run it: {', '.join(target.name for target in TARGETS)}; may be repeated. `export --list`"
        " tells more; by default the first of each format.",
    ),
]
Samples = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Test images to verify on; by default all.")
]
