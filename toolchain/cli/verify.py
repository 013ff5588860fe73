"""``verify``: run every artifact of a run in its own runtime, and print what was compared, predicted and used."""

from __future__ import annotations

from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from toolchain import runs
from toolchain.cli.console import progress


class Compiler(str, Enum):
    """Which compilers build the exported C sources anew."""

    zig = "zig"
    gcc = "gcc"
    both = "both"


class Emulated(str, Enum):
    """Architectures of Linux boards."""

    aarch64 = "aarch64"
    armhf = "armhf"


def command(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="The run's folder; the newest under runs/ if none is given."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Test images; by default all, of firmware those of two minutes."
        ),
    ] = None,
    compiler: Annotated[
        Compiler | None, typer.Option(help="Also build and verify what this compiler makes of the C sources.")
    ] = None,
    qemu: Annotated[bool, typer.Option("--qemu", help="Ask QEMU for a second opinion on firmware.")] = False,
    emulate: Annotated[
        Emulated | None,
        typer.Option(help="Also run ONNX and TFLite files in this architecture's runtimes under qemu-user."),
    ] = None,
    serial: Annotated[
        str | None,
        typer.Option(metavar="PORT", help="Also run it on the board whose console is on this serial port."),
    ] = None,
    baud: Annotated[
        int, typer.Option(min=1, help="Bits a second of --serial, as the firmware sets them.")
    ] = 115_200,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write what --serial or --host measured into this profile of your own."
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="USER@BOARD", help="Also run on this Linux board, as ssh reaches it."),
    ] = None,
    ssh_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Configuration for ssh in place of your own.")
    ] = None,
    board_python: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Python on that board (python3), as in /home/pi/venv/bin/python."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Run every artifact in its own runtime and compare the integers with the reference's.

    Firmware runs on the emulated board, with exactly its memories, and is held to the predicted footprint.
    On a real Linux board nothing is installed, and nothing stays.
    Exit code 5 if integers or footprint differ, 3 if an artifact is broken, 4 if one is over budget.
    """
    from toolchain.cli.verdicts import conclude, fail, outcome
    from toolchain.delivery import verify_run
    from toolchain.reporting.markdown import markdown
    from toolchain.reporting.publishing import redraw
    from toolchain.reporting.tables import verdict_tables

    found = runs.find(run)
    names = {None: (), Compiler.both: ("zig", "gcc")}.get(compiler, (compiler.value,) if compiler else ())
    if calibrate is not None and serial is None and host is None:
        raise typer.BadParameter(
            "needs a board; name its console's port with --serial, or a Linux board with --host",
            param_hint="--calibrate",
        )
    if serial is not None and host is not None:
        raise typer.BadParameter("is a microcontroller's, and --host a Linux board's", param_hint="--serial")
    if host is None and not (ssh_config is None and board_python is None):
        raise typer.BadParameter("--ssh-config and --board-python go with --host")
    verify_here = partial(
        verify_run,
        found,
        samples=samples,
        compilers=names,
        qemu=qemu,
        emulate=emulate and emulate.value,
        progress=progress,
    )
    if host is not None:
        from toolchain.flashing.ssh import Host
        from toolchain.verification.onboard.board import PYTHON, Request
        from toolchain.verification.onboard.verify import verify_with_board

        request = Request(Host(host, configuration=ssh_config), board_python or PYTHON, calibrate)
        verdict = verify_with_board(found, request, verify_here, progress)
    elif serial is None:
        verdict = verify_here()
    else:
        from toolchain.verification.console_verify import verify_with_console

        verdict = verify_with_console(found, serial, baud, calibrate, verify_here, progress)
    if found.has_page:
        redraw(found, samples=samples, progress=progress)
    if as_markdown and not as_json:
        print(markdown(verdict_tables(verdict), [outcome(verdict), *verdict.notes]), end="")
        fail(verdict)
    else:
        conclude(found, verdict, as_json)
