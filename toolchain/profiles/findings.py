"""What is wrong with a profile: one finding a fault, each a sentence that says what, where and how to mend
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from toolchain.errors import InputError

UNREADABLE = "unreadable"
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

    def __str__(self) -> str:
        # A file that could not even be read has one sentence, which names it.
        return self.message if self.rule == UNREADABLE else f"{self.file}: {self.message}"


class ProfileError(InputError):
    """A profile that cannot be used; ``findings`` holds every fault, the message tells them all."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(told(self.findings))


def told(findings: Sequence[Finding]) -> str:
    """All ``findings`` as one message: a sentence, or a list of them."""
    lines = [str(finding) for finding in findings]
    return lines[0] if len(lines) == 1 else "\n  - ".join([f"{len(lines)} faults:", *lines])


def shown(value: object) -> str:
    """``value`` as it may be printed: escaped, so that a file cannot send control codes, and short."""
    try:
        text = repr(value)
    except RecursionError:
        text = "nested too deeply"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean ...?`` with the known word most like ``word``, or the list of known words."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(known)}" if known else "; remove it"


def schema_findings(file: str, error: ValidationError, document: Any) -> Iterator[Finding]:
    """Pydantic's errors about ``document`` as findings."""
    for item in error.errors(include_url=False):
        where = _where(item["loc"], document)
        kind = item["type"]
        if kind == "missing":
            message = f"{where} is missing; add it"
        elif kind == "extra_forbidden":
            message = f"unknown key {where}; remove it"
        elif kind == "literal_error":
            message = f"{where} is {shown(item['input'])}; use one of {item['ctx']['expected']}"
        elif kind == "value_error":
            message = f"{where}: {item['ctx']['error']}"
        elif kind == "tuple_type" and isinstance(item["input"], dict) and len(item["loc"]) == 1:
            message = f"{where} is one table; write [[{where}]], once for each"
        elif kind in _EXPECTED:
            message = f"{where} is {shown(item['input'])}; write {_EXPECTED[kind]}"
        else:
            message = f"{where}: {item['msg']}"
        yield Finding(file, message, "schema")


def _where(location: tuple[int | str, ...], document: Any) -> str:
    text = ""
    for depth, part in enumerate(location):
        if depth == 1 and location[0] == "regions" and isinstance(part, int):
            # The user wrote [regions.NAME] and knows no index.
            region = document["regions"][part]
            part = str(region["name"]) if isinstance(region, dict) and "name" in region else part
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the document"
