"""``spikenas.toml``: the artifacts of a user's repository, and what each of them may take.

profile = "stm32f405"              # a shipped board, or the path of a profile; what follows may differ
max_growth = "2%"                  # tolerated against the report that --base names

[[artifacts]]
path = "build/firmware.elf"        # below the folder of this file
flash = "256KiB"                   # narrows the profile's; without a profile these are all the limits
network_flash = "64KiB"            # what is the network's in it
symbol_prefix = "net_"             # how the names of the network's symbols begin
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BeforeValidator, ValidationError

from toolchain.errors import InputError
from toolchain.files import read_bytes, read_toml
from toolchain.profiles import load
from toolchain.profiles.budget import parse_size
from toolchain.profiles.findings import Finding, schema_findings, shown, told
from toolchain.profiles.schema import Row, Table
from toolchain.quantities import parse_percent
from toolchain.verification.firmware_lines import NetworkLimits
from toolchain.verification.subjects import Subject, board_subject, explicit_subject, run_subject

FILE_NAME = "spikenas.toml"
MAX_FILE_BYTES = 16 * 1024
"""A hundred artifacts; tomllib needs quadratic time for a hostile key of many dots."""

MAX_ARTIFACTS = 100


@dataclass(frozen=True)
class Entry:
    """One artifact that is to be checked: what reports call it, and how much it may grow against the base."""

    name: str
    subject: Subject
    max_growth: Fraction | None = None


def _size(value: object) -> object:
    if not isinstance(value, str) and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
        raise ValueError(f"{shown(value)} is no size; write a number of bytes above 0, or text as in 256KiB")
    try:
        return parse_size(value) if isinstance(value, str) else value
    except InputError as error:
        raise ValueError(str(error)) from None


def _share(value: object) -> object:
    try:
        return parse_percent(value if isinstance(value, str) else repr(value))
    except InputError as error:
        raise ValueError(str(error)) from None


def _inside(value: object) -> object:
    if isinstance(value, str):
        path = PurePosixPath(value)
        if not value.strip() or not value.isprintable() or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{shown(value)} is no path below the folder of this file; give one")
    return value


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(_size)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Inside = Annotated[str, BeforeValidator(_inside)]
Prefixes = Annotated[Row[str], BeforeValidator(_list)]


class Artifact(Table):
    """``[[artifacts]]``: a file or a run's folder; the sizes are those of the options of ``check``."""

    path: Inside
    name: str | None = None
    profile: Inside | None = None
    flash: Size | None = None
    sram: Size | None = None
    artifact: Size | None = None
    network_flash: Size | None = None
    network_sram: Size | None = None
    symbol_prefix: Prefixes = ()
    max_growth: Share | None = None


class Budgets(Table):
    """All of the file; ``profile`` and ``max_growth`` are for artifacts that have none of their own."""

    profile: Inside | None = None
    max_growth: Share | None = None
    artifacts: Row[Artifact] = ()


def read_budgets(file: Path) -> list[Entry]:
    """Read and check ``file``; raises ``InputError`` with one sentence for each mistake in it."""
    read_bytes(file, MAX_FILE_BYTES)
    document = read_toml(file)
    try:
        budgets = Budgets.model_validate(document)
    except ValidationError as error:
        raise InputError(told(list(schema_findings(str(file), error, document)))) from error
    if not 0 < len(budgets.artifacts) <= MAX_ARTIFACTS:
        raise InputError(
            f"{file} names {len(budgets.artifacts)} artifacts; name 1 to {MAX_ARTIFACTS}, each by [[artifacts]] and "
            "its path"
        )
    entries: list[Entry] = []
    findings: list[Finding] = []
    for artifact in budgets.artifacts:
        name = artifact.name or artifact.path
        if any(entry.name == name for entry in entries):
            findings.append(
                Finding(str(file), f"two artifacts are called {shown(name)}; give each its name", "budgets")
            )
        try:
            entries.append(Entry(name, _subject(file.parent, artifact, budgets), _growth(artifact, budgets)))
        except InputError as error:
            # The sentences of the command line's options are those of this file's keys.
            said = str(error).removeprefix("--")
            text = said if said.startswith(str(file.parent / artifact.path)) else f"{artifact.path}: {said}"
            findings.append(Finding(str(file), text, "budgets"))
    if findings:
        raise InputError(told(findings))
    return entries


def _growth(artifact: Artifact, budgets: Budgets) -> Fraction | None:
    return artifact.max_growth if artifact.max_growth is not None else budgets.max_growth


def _subject(folder: Path, artifact: Artifact, budgets: Budgets) -> Subject:
    path = folder / artifact.path
    named = artifact.profile or budgets.profile
    sizes = {
        key: size
        for key, size in (
            ("flash_bytes", artifact.flash),
            ("sram_bytes", artifact.sram),
            ("artifact_bytes", artifact.artifact),
        )
        if size is not None
    }
    network = NetworkLimits(artifact.network_flash, artifact.network_sram)
    if named is None and (path / "run.toml").is_file():
        return run_subject(path, path, sizes)
    if named is None:
        return explicit_subject(path, sizes, network, artifact.symbol_prefix)
    profile = load(folder / named if named.endswith(".toml") or "/" in named else named)
    return board_subject(path, profile, sizes, network, artifact.symbol_prefix)
