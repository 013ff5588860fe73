"""A user's own profile gets what was measured on their board: a ``[calibration]`` table, and nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import parse_toml, read_bytes, write_atomic
from toolchain.profiles.catalog import load
from toolchain.profiles.inheritance import MAX_PROFILE_BYTES, NAME, SHIPPED, shipped
from toolchain.profiles.schema import Calibration, Profile

TABLE = "calibration"
_SAME = ("role", "core", "clock_hz", "regions", "runtime")
"""What makes two profiles those of one board; limits and rates may be others."""


def require_own(file: Path, profile: Profile) -> None:
    """Make sure, before anything is measured, that ``write_calibration`` can write ``file`` for ``profile``.

    Raises ``InputError`` if it is a shipped profile, is called after no board, is another board's, or would have to
    inherit a profile that is not beside it.
    """
    if file.suffix != ".toml" or not NAME.fullmatch(file.stem):
        raise InputError(
            f"{file}: call the file NAME.toml, with letters, digits, '-' and '_', as in my_board.toml"
        )
    if file.resolve().parent == SHIPPED.resolve():
        raise InputError(
            f"{file} is a shipped profile, which stays as it is; write the calibration to a file of your own"
        )
    if file.exists():
        other = load(file)
    elif profile.name in shipped() or (file.parent / f"{profile.name}.toml").is_file():
        other = load(profile.name if profile.name in shipped() else file.parent / f"{profile.name}.toml")
    else:
        raise InputError(
            f"{file} would inherit {profile.name}, which is neither shipped nor in {file.parent}; name the file of"
            f" {profile.name} itself, or one beside it"
        )
    differing = next((key for key in _SAME if getattr(other, key) != getattr(profile, key)), None)
    if differing is not None:
        raise InputError(
            f"{file} describes another board than {profile.name}, for which the run was made: {differing} differs;"
            " name another file"
        )


def write_calibration(file: Path, profile: Profile, calibration: Calibration) -> None:
    """Write ``calibration`` to ``file``, the user's own: a new one inherits ``profile``, an old one keeps every line.

    An earlier calibration is replaced whole. Raises ``InputError`` as ``require_own`` does, or if the file cannot be
    written; it is then as it was.
    """
    require_own(file, profile)
    if file.exists():
        content = read_bytes(file, MAX_PROFILE_BYTES)
        before, text = parse_toml(content, file), content.decode()
    else:
        title = f"{profile.title}, calibrated"
        before = {"inherits": profile.name, "title": title}
        text = "".join(f"{key} = {_toml(value)}\n" for key, value in before.items())
    told = calibration.model_dump(exclude_none=True)
    text = _without(text).rstrip() + f"\n\n[{TABLE}]\n"
    text += "".join(f"{key} = {_toml(value)}\n" for key, value in told.items())
    wanted = {key: value for key, value in before.items() if key != TABLE} | {TABLE: told}
    try:
        kept = parse_toml(text.encode(), file) == wanted
    except InputError:
        kept = False
    if not kept:
        raise InputError(
            f"{file} writes its {TABLE} in an unusual way; write it as a table, [{TABLE}], or remove it"
        )
    if len(text.encode()) > MAX_PROFILE_BYTES:
        raise InputError(
            f"{file} would be longer than the {MAX_PROFILE_BYTES:,} bytes of a profile; shorten it"
        )
    write_atomic(file, text)
    load(file)


def _without(text: str) -> str:
    """``text`` without its lines of the table, up to the next one."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if re.match(r"\s*\[", line):
            inside = re.fullmatch(rf"\s*\[\s*{TABLE}\s*\]\s*(#.*)?", line.rstrip()) is not None
        if not inside:
            kept.append(line)
    return "".join(kept)


def _toml(value: str | float) -> str:
    # Printable text and finite numbers are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
