"""``profiles``: list the boards, show one with its sources and budget, validate files, start one's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain.cli.console import emit, kib, print_table, printable
from toolchain.errors import InputError
from toolchain.profiles import available, load
from toolchain.profiles.budget import budget, parse_size
from toolchain.profiles.catalog import faults
from toolchain.profiles.rules import documentation
from toolchain.profiles.template import create

app = typer.Typer(help="List, show, validate and write board profiles.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Board = Annotated[str, typer.Argument(metavar="NAME", help="A shipped profile, or a file: ./mine.toml.")]


@app.command("list")
def list_profiles(as_json: Json = False) -> None:
    """List the shipped profiles and what a network may take on each."""
    emit({"profiles": [_summary(name) for name in available()]}, as_json, _render_list)


@app.command("show")
def show_profile(
    name: Board,
    flash: Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow the flash, as in 256KiB.")] = None,
    sram: Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow the SRAM, as in 64KiB.")] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Narrow the artifact, as in 512KiB.")
    ] = None,
    latency: Annotated[float | None, typer.Option(metavar="MS", help="Narrow the latency.")] = None,
    as_json: Json = False,
) -> None:
    """Show a profile as it is after inheritance, where its numbers come from, and the budget that results."""
    profile = load(name)
    limits = budget(
        profile,
        flash_bytes=parse_size(flash) if flash is not None else None,
        sram_bytes=parse_size(sram) if sram is not None else None,
        artifact_bytes=parse_size(artifact) if artifact is not None else None,
        latency_ms=latency,
    )
    emit({"profile": profile.model_dump(mode="json"), "budget": asdict(limits)}, as_json, _render_profile)


@app.command("validate")
def validate_files(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, or names of shipped profiles.")
    ],
    as_json: Json = False,
) -> None:
    """Check profiles whole and tell every fault; exit code 3 if there is one."""
    rules = documentation()
    checked = []
    for file in files:
        found = [
            {**asdict(fault), "asks": rules.get(fault.rule), "text": str(fault)} for fault in faults(file)
        ]
        checked.append({"file": file, "valid": not found, "findings": found})
    emit({"files": checked}, as_json, _render_validation)
    if not all(entry["valid"] for entry in checked):
        raise typer.Exit(InputError.exit_code)


@app.command("new")
def new_profile(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, as in ./mine.toml.")],
    parent: Annotated[str, typer.Option("--from", metavar="NAME", help="The profile to inherit.")],
    as_json: Json = False,
) -> None:
    """Write a commented profile that inherits another one; an existing file is never overwritten."""
    profile = create(parent, file)
    emit(
        {"file": str(file), "inherits": profile.name},
        as_json,
        lambda done: print(
            printable(f"{done['file']} written; edit it, then pass it as --profile {done['file']}")
        ),
    )


def _summary(name: str) -> dict[str, Any]:
    profile = load(name)
    limits = budget(profile)
    return {
        "name": profile.name,
        "title": profile.title,
        "role": profile.role,
        "core": profile.core,
        "flash_bytes": limits.flash_bytes,
        "sram_bytes": limits.sram_bytes,
        "artifact_bytes": limits.artifact_bytes,
        "latency_ms": limits.latency_ms,
        "default_formats": list(profile.default_formats),
    }


def _render_list(document: dict[str, Any]) -> None:
    print_table(
        ("profile", "role", "core", "flash>", "sram>", "artifact>", "latency>", "formats"),
        (
            (
                entry["name"],
                entry["role"],
                entry["core"] or "-",
                *(_size(entry[key]) for key in ("flash_bytes", "sram_bytes", "artifact_bytes")),
                _time(entry["latency_ms"]),
                " ".join(entry["default_formats"]),
            )
            for entry in document["profiles"]
        ),
        title="What a network may take on each board",
    )


def _render_profile(document: dict[str, Any]) -> None:
    profile, limits = document["profile"], document["budget"]
    print(printable(f"{profile['name']}: {profile['title']}"))
    tables = {"board": profile} | {
        key: profile[key]
        for key in ("linux", "runtime", "performance", "power", "calibration", "emulation", "flashing")
        if profile[key]
    }
    facts = [
        (where, key, _text(key, value))
        for where, table in tables.items()
        for key, value in table.items()
        if value not in (None, [], "") and not isinstance(value, dict)
        if key not in ("name", "title", "regions", "source")
        and not (key.endswith("stack_bytes") and value == 0)
    ]
    print_table(("table", "key", "value"), facts, title="Facts")
    if profile["regions"]:
        print_table(
            ("region", "kind", "origin>", "size>", "reserved>", "holds"),
            (
                (
                    region["name"],
                    region["kind"],
                    f"{region['origin']:#010x}",
                    kib(region["size_bytes"]),
                    kib(region["reserved_bytes"]),
                    " ".join(region["holds"]),
                )
                for region in profile["regions"]
            ),
            title="Memories",
        )
    allowed = [(f"region {region['name']}", kib(region["available_bytes"])) for region in limits["regions"]]
    allowed += [(key, _text(key, value)) for key, value in limits.items() if isinstance(value, (int, float))]
    print_table(("limit", "allowed>"), allowed, title="Budget of a network")
    print("Sources")
    for where, table in {**tables, **{region["name"]: region for region in profile["regions"]}}.items():
        print(printable(f"  {where}: {table['source']}"))


def _render_validation(document: dict[str, Any]) -> None:
    for entry in document["files"]:
        if entry["valid"]:
            print(printable(f"{entry['file']}: valid"))
        for finding in entry["findings"]:
            print(printable(finding["text"]))


def _text(key: str, value: Any) -> str:
    if key.endswith("_bytes"):
        return kib(value)
    if key.endswith("origin"):
        return f"{value:#010x}"
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return (
        str(value).lower() if isinstance(value, bool) else f"{value:,}" if isinstance(value, int) else value
    )


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else kib(size_bytes)


def _time(latency_ms: float | None) -> str:
    return "-" if latency_ms is None else f"{latency_ms:g} ms"
