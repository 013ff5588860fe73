"""What is wrong with a profile: one finding a fault, each a sentence that says what, where and how to mend
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from toolchain.errors import InputError

_LONGEST_SHOWN = 60
_EXPECTED = {
    "int_type": "a whole number without quotes",
    "float_type": "a number without quotes",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in square brackets",
    "model_type": "a table",
    "finite_number": "a finite number",
}
"""Pydantic's error type -> what the user should have written."""


@dataclass(frozen=True)
class Finding:
    """A fault in ``file``; ``rule`` is the name of the check that found it."""

    file: str
    message: str
    rule: str


class ProfileError(InputError):
    """A profile that cannot be used; ``findings`` holds every fault, the message tells them all."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [f"{finding.file}: {finding.message}" for finding in self.findings]
        super().__init__(lines[0] if len(lines) == 1 else "\n  - ".join([f"{len(lines)} faults:", *lines]))


def shown(value: object) -> str:
    """``value`` as it may be printed: escaped, so that a file cannot send control codes, and short."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean ...?`` with the known word most like ``word``, or the list of known words."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def schema_findings(file: str, error: ValidationError, data: Mapping[str, Any]) -> Iterator[Finding]:
    """Pydantic's errors as findings; ``data`` is what was validated, to name regions by it."""
    for item in error.errors(include_url=False):
        where = _where(item["loc"], data)
        kind = item["type"]
        if kind == "missing":
            message = f"{where} is missing; add it"
        elif kind == "literal_error":
            message = f"{where} is {shown(item['input'])}; use one of {item['ctx']['expected']}"
        elif kind in _EXPECTED:
            message = f"{where} is {shown(item['input'])}; write {_EXPECTED[kind]}"
        else:
            message = f"{where}: {item['msg']}"
        yield Finding(file, message, "schema")


def _where(location: tuple[int | str, ...], data: Mapping[str, Any]) -> str:
    parts = list(location)
    if len(parts) > 1 and parts[0] == "regions" and isinstance(parts[1], int):
        parts[1] = data["regions"][parts[1]]["name"]
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
