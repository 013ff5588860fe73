"""Finding a profile by its name or path, and checking it whole before anybody uses it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from toolchain.errors import InputError
from toolchain.profiles.findings import UNREADABLE, Finding, ProfileError, nearest, schema_findings, shown
from toolchain.profiles.inheritance import NAME, SHIPPED, resolve, shipped
from toolchain.profiles.rules import check
from toolchain.profiles.schema import Profile


def available() -> list[str]:
    """Names of the shipped profiles, in alphabetical order."""
    return shipped()


def load(name_or_path: str | Path) -> Profile:
    """The profile of a shipped name, or of a file: what ends in ``.toml`` or contains a separator is a path.

    Raises ``InputError``: for an unknown name it says which name is nearest, for a faulty file it tells every
    fault.
    """
    path = locate(name_or_path)
    document, findings = resolve(path)
    if findings:
        raise ProfileError(findings)
    return from_document(document, path)


def from_document(document: Any, file: str | Path) -> Profile:
    """The profile of a resolved description: ``profile.model_dump(mode="json")``, read back from ``file``.

    Raises ``InputError`` with every fault, as ``load`` does.
    """
    try:
        profile = Profile.model_validate(document)
    except ValidationError as error:
        raise ProfileError(list(schema_findings(str(file), error, document))) from error
    findings = [Finding(str(file), message, rule) for rule, message in check(profile)]
    if findings:
        raise ProfileError(findings)
    return profile


def faults(name_or_path: str | Path) -> tuple[Finding, ...]:
    """Everything that keeps ``load`` from returning this profile, as data; nothing if it is sound."""
    try:
        load(name_or_path)
    except ProfileError as error:
        return error.findings
    except InputError as error:
        return (Finding(str(name_or_path), str(error), UNREADABLE),)
    return ()


def locate(name_or_path: str | Path) -> Path:
    """The file that ``load`` would read, for a path without looking whether it exists."""
    text = os.fspath(name_or_path)
    separators = {os.sep, os.altsep or os.sep, "/"}
    if text.endswith(".toml") or any(separator in text for separator in separators):
        return Path(text)
    if text in shipped():
        return SHIPPED / f"{text}.toml"
    if NAME.fullmatch(text) and Path(f"{text}.toml").is_file():
        raise InputError(f"no shipped profile is called {text}; for the file here, write ./{text}.toml")
    raise InputError(f"no profile is called {shown(text)}{nearest(text, shipped())}")
