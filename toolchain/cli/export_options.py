"""The options of an export, the same for every verb that exports."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from exporters.base import FORMATS, TARGETS
from toolchain.profiles.schema import Integration

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
Integrations = Annotated[
    list[str] | None,
    typer.Option(
        "--integration",
        help=f"Make the C sources ready for another build: {', '.join(get_args(Integration))}; may be repeated."
        " CMake is always there, and so is what the profile names.",
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How the C symbols, macros and files of the network begin, so that several live in one firmware; net.",
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        metavar="ORDER",
        help="How the C network runs: layers, each with all time steps; or steps, which also takes a stream of frames"
        " (event cameras, video); layers.",
    ),
]
Samples = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Test images to verify on; by default all.")
]
