"""A profile's file and those it inherits from, merged into one description.

``inherits`` names a shipped profile, or a file in the same folder; never a path, so a profile cannot reach
outside its folder. A table is merged key by key; a value or a list replaces what was inherited;
``omit_regions`` drops regions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import hardware_profiles
from toolchain.errors import InputError
from toolchain.files import read_bytes, read_toml
from toolchain.profiles.findings import Finding, nearest, shown
from toolchain.profiles.schema import (
    Calibration,
    Emulation,
    Flashing,
    LinuxLimits,
    Performance,
    Power,
    Profile,
    Region,
    Runtime,
)

SHIPPED = Path(hardware_profiles.__file__).parent
MAX_PROFILE_BYTES = 16 * 1024
"""Five times the longest shipped profile; tomllib needs quadratic time for a hostile key of many dots."""

MAX_DEPTH = 8
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
OMIT_REGIONS = "omit_regions"

_TABLES: dict[str, type[BaseModel]] = {
    "linux": LinuxLimits,
    "runtime": Runtime,
    "performance": Performance,
    "power": Power,
    "calibration": Calibration,
    "emulation": Emulation,
    "flashing": Flashing,
}


def resolve(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    """Merge ``path`` with what it inherits, ready for ``Profile``; also the faults of the single files.

    Raises ``InputError`` if a file is missing, too large or no TOML, or if the inheritance is circular or too
    deep.
    """
    chain = list(_chain(path))
    findings = [finding for file, data in chain for finding in _file_findings(file, data)]
    if findings:
        return {}, findings
    merged: dict[str, Any] = {}
    for file, data in reversed(chain):
        findings += _source_findings(file, merged, data)
        merged = _merge(merged, data)
        findings += _omit_regions(file, merged)
    regions = merged.get("regions", {})
    merged["regions"] = [{**region, "name": name} for name, region in regions.items()]
    return {**merged, "name": path.stem}, findings


def _chain(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    seen: list[Path] = []
    following: Path | None = path
    while following is not None:
        if len(seen) == MAX_DEPTH:
            raise InputError(f"{path} inherits through more than {MAX_DEPTH} files; shorten the chain")
        if not NAME.fullmatch(following.stem):
            raise InputError(
                f"{following}: a profile is called after its file, so the file's name may only have letters, "
                "digits, '-' and '_', as in my_board.toml"
            )
        read_bytes(following, MAX_PROFILE_BYTES)
        data = read_toml(following)
        if following.resolve() in seen:
            names = " -> ".join(step.stem for step in [*seen, following])
            raise InputError(f"{path}: {names} inherit in a circle; remove one of the inherits lines")
        seen.append(following.resolve())
        yield following, data
        following = _parent(following, data)


def _parent(path: Path, data: dict[str, Any]) -> Path | None:
    if "inherits" not in data:
        return None
    name = data["inherits"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(
            f"{path}: inherits is {shown(name)}; give the name of a shipped profile, or of a file in the "
            "same folder, without .toml"
        )
    for folder in (SHIPPED, path.parent):
        # A file that refines the shipped profile of its own name is no cycle.
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    beside = [file.stem for file in path.parent.glob("*.toml") if file != path]
    raise InputError(
        f"{path}: inherits is {shown(name)}, which no profile is called" + nearest(name, shipped() + beside)
    )


def shipped() -> list[str]:
    """Names of the profiles that come with the package, in alphabetical order."""
    return sorted(file.stem for file in SHIPPED.glob("*.toml"))


def _file_findings(path: Path, data: dict[str, Any]) -> Iterator[Finding]:
    """Faults that one file alone shows: unknown keys, and what is not a table of the right form."""
    yield from _unknown(path, "", data, [*_keys(Profile), OMIT_REGIONS])
    for name, model in _TABLES.items():
        yield from _table(path, name, data.get(name, {}), model)
    regions = data.get("regions", {})
    if not isinstance(regions, dict):
        yield Finding(str(path), "regions is no table; write each as [regions.NAME]", "schema")
        return
    for name, region in regions.items():
        if not NAME.fullmatch(name):
            yield Finding(str(path), f"region {shown(name)}: use letters, digits, '-' and '_' only", "schema")
        yield from _table(path, f"regions.{shown(name)[1:-1]}", region, Region)
    omitted = data.get(OMIT_REGIONS, [])
    if not isinstance(omitted, list) or not all(isinstance(name, str) for name in omitted):
        yield Finding(
            str(path), f"{OMIT_REGIONS} is {shown(omitted)}; write a list of region names", "schema"
        )


def _table(path: Path, where: str, table: object, model: type[BaseModel]) -> Iterator[Finding]:
    if isinstance(table, dict):
        yield from _unknown(path, where, table, _keys(model))
    else:
        yield Finding(str(path), f"{where} is {shown(table)}; write a table, [{where}]", "schema")


def _keys(model: type[BaseModel]) -> list[str]:
    # A profile is called after its file and a region after its table, so neither has a key for it.
    return [key for key in model.model_fields if key != "name"]


def _unknown(path: Path, where: str, table: dict[str, Any], known: list[str]) -> Iterator[Finding]:
    for key, value in table.items():
        place = f" in [{where}]" if where else ""
        if key not in known:
            advice = _outside_its_table(key) if not where else ""
            advice = advice or nearest(key, known)
            yield Finding(str(path), f"unknown key {shown(key)}{place}{advice}", "unknown_key")
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield Finding(str(path), f"{key}{place} is beyond 64 bits; correct the number", "schema")


def _outside_its_table(key: str) -> str:
    """What to do about a key of a table that stands above all tables, as when only its own # was deleted."""
    headers = [f"[{name}]" for name, model in _TABLES.items() if key in _keys(model)]
    headers += ["[regions.NAME]"] if key in _keys(Region) else []
    return (
        f"; it belongs below {' or '.join(headers)}: is there a # before that line still?" if headers else ""
    )


def _source_findings(path: Path, inherited: dict[str, Any], data: dict[str, Any]) -> Iterator[Finding]:
    """A table that changes a number names the number's source itself: the inherited source would tell a
    lie.
    """
    tables = {"": (inherited, data)}
    tables |= {name: (inherited.get(name, {}), data.get(name, {})) for name in _TABLES}
    for name, region in data.get("regions", {}).items():
        tables[f"regions.{name}"] = (inherited.get("regions", {}).get(name, {}), region)
    for where, (old, new) in tables.items():
        numbers = [
            key for key, value in new.items() if isinstance(value, int | float) and value != old.get(key)
        ]
        if numbers and "source" in old and "source" not in new:
            place, there = (f"[{where}]", "there") if where else ("the file", "above its first table")
            yield Finding(
                str(path),
                f'{place} changes {", ".join(numbers)} without a source; add source = "..." {there}',
                "source",
            )


def _merge(inherited: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    merged = dict(inherited)
    for key, value in data.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _omit_regions(path: Path, merged: dict[str, Any]) -> Iterator[Finding]:
    for name in merged.pop(OMIT_REGIONS, []):
        if merged.get("regions", {}).pop(name, None) is None:
            known = list(merged.get("regions", {}))
            yield Finding(
                str(path), f"{OMIT_REGIONS} names no region {shown(name)}{nearest(name, known)}", "schema"
            )
