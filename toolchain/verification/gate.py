"""The CI gate: every artifact held to its limits, and to what it took in an earlier report."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

from toolchain import __version__
from toolchain.verification.base_report import COMMIT, SCHEMA, Base, Growth, growth
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.budgets_file import Entry
from toolchain.verification.check import Checked, examine

COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Where CI systems say which commit they are at: GitHub's, GitLab's."""

_SHOWN = 6


@dataclass(frozen=True)
class Result:
    """What came of one entry; ``growths`` are those of its lines, empty without a base."""

    entry: Entry
    checked: Checked
    growths: tuple[Growth, ...]

    @property
    def failures(self) -> list[str]:
        """A sentence for each line that is over its limit or has grown too much."""
        return [sentence for pair in self.paired() if (sentence := self.failure_of(*pair))]

    @staticmethod
    def failure_of(line: BudgetLine, grown: Growth | None) -> str:
        """What is wrong with one line, and since when; empty if nothing is."""
        if line.over:
            return line.over + (f"; that is {grown.sentence}" if grown and grown.sentence else "")
        return grown.failure if grown else ""

    def paired(self) -> Iterator[tuple[BudgetLine, Growth | None]]:
        """Every line with its growth, where there is a base."""
        for index, line in enumerate(self.checked.lines):
            yield line, self.growths[index] if self.growths else None


@dataclass(frozen=True)
class Gate:
    """The results of all entries, and what the base has that is no longer there."""

    results: tuple[Result, ...]
    base: Base | None
    gone: tuple[str, ...]

    @property
    def failures(self) -> list[str]:
        """Every sentence of failure."""
        return [sentence for result in self.results for sentence in result.failures]

    @property
    def notes(self) -> list[str]:
        """What the user should know besides."""
        notes = [note for result in self.results for note in result.checked.notes]
        notes += [line.warning for line in self.lines if line.warning]
        if self.base and self.gone:
            more = f" and {len(self.gone) - _SHOWN} more" if len(self.gone) > _SHOWN else ""
            notes.append(
                f"of the report of {self.base.since} these are no longer checked: {', '.join(self.gone[:_SHOWN])}{more}"
            )
        return notes

    @property
    def lines(self) -> list[BudgetLine]:
        """Every line of every entry."""
        return [line for result in self.results for line in result.checked.lines]

    def document(self, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
        """All of it for JSON, in the form that is read as a base; the commit is what CI says in ``environment``."""
        return {
            "schema": SCHEMA,
            "version": __version__,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "commit": _commit(environment),
            "within_budget": not any(line.over for line in self.lines),
            "passed": not self.failures,
            "artifacts": [
                {
                    "name": result.entry.name,
                    "path": result.entry.subject.path.as_posix(),
                    "profile": result.entry.subject.profile and result.entry.subject.profile.name,
                    "memory": [asdict(row) for row in result.checked.memory],
                }
                for result in self.results
            ],
            "lines": [_row(line, grown) for result in self.results for line, grown in result.paired()],
            "failures": self.failures,
            "notes": self.notes,
            "since": self.base and self.base.since,
        }


def gate(entries: Iterable[Entry], base: Base | None = None) -> Gate:
    """Examine every entry; raises ``InputError`` as ``examine`` does."""
    results = []
    for entry in entries:
        checked = examine(entry.subject)
        is_folder = os.path.isdir(entry.subject.path)
        lines = [
            # Of a run that was named by itself, artifacts keep their names: the next run's are the same.
            replace(line, artifact=_called(entry.name, line.artifact) if is_folder else entry.name)
            for line in checked.lines
        ]
        grown = tuple(growth(line, base, entry.max_growth) for line in lines) if base else ()
        results.append(Result(entry, replace(checked, lines=lines), grown))
    there = {(line.artifact, line.resource) for result in results for line in result.checked.lines}
    known = base.used if base else ()
    gone = [
        f"{artifact} ({resource})" for artifact, resource, _ in known if (artifact, resource) not in there
    ]
    return Gate(tuple(results), base, tuple(gone))


def _called(run: str, artifact: str) -> str:
    return f"{run}: {artifact}" if run else artifact


def _row(line: BudgetLine, grown: Growth | None) -> dict[str, Any]:
    row = asdict(line) | {"headroom": line.headroom, "over": line.over}
    return row | {"before": grown.before, "change": grown.change} if grown else row


def _commit(environment: Mapping[str, str]) -> str | None:
    for name in COMMIT_VARIABLES:
        if re.fullmatch(COMMIT, value := environment.get(name, "").lower()):
            return value
    return None
