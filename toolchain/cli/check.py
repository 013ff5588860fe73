"""``check``: hold artifacts or a run against a board's limits; for CI jobs, so little is imported and nothing run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain.cli.console import emit, print_table, printable, progress
from toolchain.durations import parse_milliseconds
from toolchain.errors import InputError, OverBudgetError, SpikenasError
from toolchain.files import write_atomic, write_json
from toolchain.profiles import load
from toolchain.profiles.budget import parse_size
from toolchain.quantities import parse_millijoules, parse_percent
from toolchain.reporting.gate_tables import gate_tables
from toolchain.reporting.github import annotation
from toolchain.verification.base_report import read_base
from toolchain.verification.budgets_file import FILE_NAME, Entry, read_budgets
from toolchain.verification.firmware_lines import NetworkLimits
from toolchain.verification.gate import Gate, gate
from toolchain.verification.subjects import board_subject, explicit_subject, run_subject

TITLE = "spikenas-deploy check"

Size = Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow this limit, as in 256KiB.")]
NetworkSize = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Limit what is the network's in your own firmware.")
]


def command(
    artifact: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ARTIFACT|RUN]",
            help="An .onnx, .tflite, .elf, .bin, .hex or .uf2 file, or a run's folder; if none is given, all that "
            f"{FILE_NAME} names, or else the newest run.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="The board; by default that of the run."),
    ] = None,
    flash: Size = None,
    sram: Size = None,
    artifact_size: Annotated[
        str | None, typer.Option("--artifact", metavar="SIZE", help="Narrow the artifact, as in 512KiB.")
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Narrow or set the time for an image of a run, as in 20ms."),
    ] = None,
    energy: Annotated[
        str | None, typer.Option(metavar="ENERGY", help="Limit the energy for an image of a run, as in 2mJ.")
    ] = None,
    network_flash: NetworkSize = None,
    network_sram: NetworkSize = None,
    symbol_prefix: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="How symbols of the network begin in your own firmware."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"The budgets; by default {FILE_NAME} here, if there.")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An earlier report (--report, --json) to compare with."),
    ] = None,
    max_growth: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Fail above this growth against --base, as in 2%.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the JSON document, a later --base.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    as_github: Annotated[
        bool,
        typer.Option("--github", help="Annotate a pull request on GitHub, by workflow commands on stderr."),
    ] = False,
) -> None:
    """Hold artifacts, or a run with all its artifacts, against a board's limits, and an earlier report.

    Nothing is run: sizes come from the files. Exit code 4 if anything is over budget or has grown too much.
    """
    with _annotating(as_github, config or artifact or Path(FILE_NAME)):
        sizes = {"flash_bytes": flash, "sram_bytes": sram, "artifact_bytes": artifact_size}
        limits = _Limits(
            profile,
            {name: parse_size(text) for name, text in sizes.items() if text is not None}
            | ({} if latency is None else {"latency_ms": parse_milliseconds(latency)})
            | ({} if energy is None else {"energy_mj": parse_millijoules(energy)}),
            NetworkLimits(_bytes(network_flash), _bytes(network_sram)),
            tuple(symbol_prefix or ()),
        )
        budgets = _budgets_file(artifact, config, limits)
        entries = read_budgets(budgets) if budgets else [_entry(artifact or _newest_run(), limits)]
        found = gate(_tolerating(entries, max_growth, base), read_base(base) if base else None)
        document = found.document()
        _write(found, document, report, junit)
    _print(found, document, as_json, as_markdown, _title(budgets, entries))
    for result in found.results:
        where = str(budgets or result.entry.subject.path)
        for sentence in result.failures:
            progress(
                annotation("error", sentence, file=where, title=TITLE) if as_github else f"error: {sentence}"
            )
    if found.failures:
        raise typer.Exit(OverBudgetError.exit_code)


@contextmanager
def _annotating(as_github: bool, file: Path) -> Iterator[None]:
    """With ``as_github``, an error that ends the verb is shown at ``file`` too."""
    try:
        yield
    except SpikenasError as error:
        if as_github:
            progress(annotation("error", str(error), file=str(file), title=TITLE))
        raise


@dataclass(frozen=True)
class _Limits:
    """What the options say of one artifact."""

    profile: str | None
    narrowing: dict[str, int | float]
    network: NetworkLimits
    prefixes: tuple[str, ...]


def _bytes(text: str | None) -> int | None:
    return None if text is None else parse_size(text)


def _budgets_file(artifact: Path | None, config: Path | None, limits: _Limits) -> Path | None:
    """The file of budgets that is to be read, None if it is not what was asked for."""
    if artifact is not None and config is not None:
        raise InputError(f"{config} names what is checked; leave out {artifact}, or leave out --config")
    # os.path, because a path that is too long or loops is simply not there.
    budgets = config or (Path(FILE_NAME) if artifact is None and os.path.isfile(FILE_NAME) else None)
    if budgets is not None and limits != _Limits(None, {}, NetworkLimits(), ()):
        raise InputError(
            f"{budgets} says the board and the limits of what it names; change them there, or name an artifact"
        )
    return budgets


def _newest_run() -> Path:
    from toolchain import runs

    return runs.find(None).path


def _entry(path: Path, limits: _Limits) -> Entry:
    """The artifact at ``path``, by the name that a report gives it, and the limits that it is held to."""
    run = _run_of(path)
    if limits.profile is not None:
        board = load(limits.profile)
        subject = board_subject(
            path, board, limits.narrowing, limits.network, limits.prefixes, run is not None
        )
    elif run is not None:
        subject = run_subject(path, run, limits.narrowing)
    elif limits.narrowing or limits.network != NetworkLimits():
        subject = explicit_subject(path, limits.narrowing, limits.network, limits.prefixes)
    else:
        named = (
            f", or check all that {FILE_NAME} names by `spikenas-deploy check`"
            if os.path.isfile(FILE_NAME)
            else ""
        )
        raise InputError(
            f"{path} belongs to no run, so the board is not known; add --profile NAME, or limits such as "
            f"--flash{named}"
        )
    return Entry("" if path == run else path.name, subject)


def _run_of(path: Path) -> Path | None:
    """The run's folder that ``path`` is, or that has it among its artifacts."""
    if os.path.isdir(path):
        if not os.path.isfile(path / "run.toml"):
            raise InputError(f"{path} is not a run's folder (it has no run.toml); give an artifact or a run")
        return path
    above = Path(os.path.abspath(path)).parents
    return above[1] if len(above) > 1 and os.path.isfile(above[1] / "run.toml") else None


def _tolerating(entries: list[Entry], max_growth: str | None, base: Path | None) -> list[Entry]:
    """``entries``, those that say nothing else with the growth that the option tolerates."""
    if max_growth is None:
        return entries
    if base is None:
        raise InputError("--max-growth compares with an earlier report; add --base FILE")
    share = parse_percent(max_growth)
    return [replace(entry, max_growth=share) if entry.max_growth is None else entry for entry in entries]


def _write(found: Gate, document: dict[str, Any], report: Path | None, junit: Path | None) -> None:
    if report is not None:
        write_json(report, document)
    if junit is not None:
        from toolchain.reporting.junit import junit_xml

        write_atomic(junit, junit_xml(found))


def _title(budgets: Path | None, entries: list[Entry]) -> str:
    if budgets:
        return f"{len(entries)} artifacts of {budgets}" if len(entries) != 1 else f"1 artifact of {budgets}"
    subject = entries[0].subject
    return f"{subject.path} on {subject.profile.name}" if subject.profile else f"{subject.path}"


def _print(found: Gate, document: dict[str, Any], as_json: bool, as_markdown: bool, title: str) -> None:
    tables = gate_tables(found)
    notes = [f"note: {note}" for note in found.notes]
    if as_markdown and not as_json:
        from toolchain.reporting.markdown import markdown

        print(markdown(tables, [*found.failures, *notes]), end="")
        return
    if as_json:
        emit(document, True, lambda _: None)
        return
    for index, table in enumerate(tables):
        print_table(table.columns, table.rows, table.title if index else title)
    for note in notes:
        print(printable(note))
