"""GitHub's workflow commands, with which a job's log puts a message onto a pull request.

Escapes: actions/toolkit, packages/core/src/command.ts; without them a name from a file could begin a command.
"""

from __future__ import annotations

from typing import Literal

from toolchain.escapes import visible

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(level: Literal["error", "notice"], message: str, *, file: str, title: str) -> str:
    """The line that shows ``message`` at ``file``."""
    properties = f"file={_escaped(file, _PROPERTY)},title={_escaped(title, _PROPERTY)}"
    return f"::{level} {properties}::{_escaped(message, _DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(c) or visible(c) for c in text)
