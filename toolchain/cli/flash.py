"""``flash``: write a verified run to its board, and say what lies there afterwards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain.cli.console import emit, print_table, printable, progress


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    tool: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The tool that writes; by default the profile's first that is installed."
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            metavar="PORT", help="Serial port, radio address (cfloader) or HOST:PORT of a GDB server (gdb)."
        ),
    ] = None,
    drive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the drive of a board with UF2 is mounted.")
    ] = None,
    interface: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Debug probe for openocd, as in stlink, cmsis-dap, jlink."),
    ] = None,
    firmware: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Flight firmware with this network in it: .bin, .px4 or .apj."),
    ] = None,
    elf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ELF of the same build as --firmware.")
    ] = None,
    standalone: Annotated[
        bool,
        typer.Option("--standalone", help="Let the network's own image own a board with flight firmware."),
    ] = False,
    erase_flight_firmware: Annotated[
        bool, typer.Option("--erase-flight-firmware", help="Give up the flight firmware; with --standalone.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(metavar="USER@BOARD", help="A Linux board, as ssh reaches it.")
    ] = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="DIR", help="Folder on the Linux board (spikenas).")
    ] = None,
    ssh_config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Configuration for ssh in place of your own.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Hold every rule, print the exact commands, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a verified run to its board, read it back where the tool can, and say what lies there.

    Only what passed `verify` for this very board is written, and never over a bootloader. A board with firmware of
    its own (Crazyflie, Pixhawk) takes that firmware, built with the exported sources: --firmware FILE --elf FILE.
    Exit code 3 if a rule forbids it or the tool fails, 4 or 5 if the verdict failed so, 4 if a flight firmware does
    not fit, 5 if the board holds something else afterwards, 6 if no tool is installed.
    """
    from toolchain import runs
    from toolchain.errors import InputError
    from toolchain.flashing.flash import Request, carry_out, prepare
    from toolchain.flashing.job import Options
    from toolchain.flashing.ssh import FOLDER, Host

    found = runs.find(run)
    if host is None and (path is not None or ssh_config is not None):
        raise InputError("--path and --ssh-config go with --host")
    request = Request(
        tool,
        Options(port, drive, interface),
        firmware,
        elf,
        standalone,
        erase_flight_firmware,
        None if host is None else Host(host, path or FOLDER, ssh_config),
    )
    plan = prepare(found, request)
    for note in plan.notes:
        progress(f"note: {note}")
    if not dry_run:
        carry_out(found, plan, progress)
    document = {
        "run": str(found.path),
        "profile": found.profile().name,
        "tool": plan.tool,
        "dry_run": dry_run,
        "steps": [
            {"command": list(step.words)} if hasattr(step, "words") else {"action": step.text}
            for step in plan.steps
        ],
        "written": [] if dry_run else [asdict(each) for each in plan.written],
        "verified": None if dry_run else plan.verified,
        "notes": list(plan.notes),
    }
    emit(document, as_json, lambda _: _render(document, [step.text for step in plan.steps]))


def _render(document: dict[str, Any], steps: list[str]) -> None:
    if document["dry_run"]:
        print(*(printable(step) for step in steps), sep="\n")
        return
    rows = [(each["where"], f"{each['size_bytes']:,}", each["sha256"]) for each in document["written"]]
    print_table(
        ("where", "bytes>", "sha256"), rows, f"Written to {document['profile']} with {document['tool']}"
    )
    print(printable(f"verified: {document['verified']}"))
