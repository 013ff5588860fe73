"""Finding a profile by its name or path, and checking it whole before anybody uses it."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from toolchain.errors import InputError
from toolchain.profiles.findings import Finding, ProfileError, nearest, schema_findings, shown
from toolchain.profiles.inheritance import SHIPPED, resolve, shipped
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
    data, findings = resolve(path)
    profile = None
    if not findings:
        try:
            profile = Profile.model_validate(data)
        except ValidationError as error:
            findings = list(schema_findings(str(path), error, data))
    if profile is not None:
        findings = [Finding(str(path), message, rule) for rule, message in check(profile)]
    if profile is None or findings:
        raise ProfileError(findings)
    return profile


def locate(name_or_path: str | Path) -> Path:
    """The file that ``load`` would read, for a path without looking whether it exists."""
    text = os.fspath(name_or_path)
    separators = {os.sep, os.altsep or os.sep, "/"}
    if text.endswith(".toml") or any(separator in text for separator in separators):
        return Path(text)
    if text in shipped():
        return SHIPPED / f"{text}.toml"
    beside = f"; for the file beside you write ./{text}.toml" if Path(f"{text}.toml").is_file() else ""
    raise InputError(f"no profile is called {shown(text)}" + (beside or nearest(text, shipped())))
