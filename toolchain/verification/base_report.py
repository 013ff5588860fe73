"""An earlier report of ``check``, such as the main branch's, and how what is checked now has grown since."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolchain.errors import InputError
from toolchain.files import read_json
from toolchain.profiles.findings import schema_findings, told
from toolchain.quantities import percent
from toolchain.verification.budget_lines import BudgetLine

SCHEMA = "spikenas-check/1"
"""Form of the JSON that ``check`` writes, and reads as a base."""

COMMIT = r"[0-9a-f]{7,64}"
CREATED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
MAX_LINES = 20_000

_SHOWN_OF_COMMIT = 12


class _Read(BaseModel):
    # A newer release may say more; what is used here is checked.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Line(_Read):
    artifact: str
    resource: str
    used: Annotated[int, Field(ge=0, lt=2**63)]
    unit: str


class _Report(_Read):
    schema_: Literal["spikenas-check/1"] = Field(alias="schema")
    created: Annotated[str, Field(pattern=f"^{CREATED}$")]
    commit: Annotated[str, Field(pattern=f"^{COMMIT}$")] | None = None
    lines: Annotated[list[_Line], Field(max_length=MAX_LINES)]


@dataclass(frozen=True)
class Base:
    """What was used then: (artifact, resource, unit) -> amount; ``since`` says when that was."""

    used: dict[tuple[str, str, str], int]
    since: str


@dataclass(frozen=True)
class Growth:
    """What ``line`` uses more than in the base, ``before`` (None: the base does not know it)."""

    line: BudgetLine
    before: int | None
    tolerated: Fraction | None
    since: str

    @property
    def change(self) -> int | None:
        """Used now less used then."""
        return None if self.before is None else self.line.used - self.before

    @property
    def beyond(self) -> bool:
        """Whether it grew by more than is tolerated; never if nothing was said about that."""
        if self.before is None or self.tolerated is None:
            return False
        return self.line.used > self.before * (1 + self.tolerated)

    @property
    def share(self) -> str:
        """The change in percent, as in ``+1.2%``; empty if there was nothing."""
        return f"{100 * (self.change or 0) / self.before:+.1f}%" if self.before else ""

    @property
    def sentence(self) -> str:
        """By how much it grew, since when; empty if it did not."""
        if not self.change or self.change < 0:
            return ""
        share = f" ({self.share})" if self.share else ""
        return f"{self.change:,} {self.line.words}{share} more than the {self.before:,} of {self.since}"

    @property
    def failure(self) -> str:
        """That it grew too much, for the user; empty if it did not."""
        if not self.beyond or self.tolerated is None:
            return ""
        return (
            f"{self.line.artifact} grew by more than the tolerated {percent(self.tolerated)}: {self.line.resource} "
            f"needs {self.line.used:,}, {self.sentence}"
        )


def read_base(path: Path) -> Base:
    """Read what ``check --json`` wrote; raises ``InputError`` that says what is wrong with it."""
    document = read_json(path)
    try:
        report = _Report.model_validate(document)
    except ValidationError as error:
        findings = list(schema_findings(str(path), error, document))[:1]
        raise InputError(
            f"{told(findings)} (a base is what `spikenas-deploy check --json` wrote, {SCHEMA})"
        ) from error
    day = f"{report.created[:10]} {report.created[11:16]} UTC"
    since = f"commit {report.commit[:_SHOWN_OF_COMMIT]} ({day})" if report.commit else day
    return Base({(line.artifact, line.resource, line.unit): line.used for line in report.lines}, since)


def growth(line: BudgetLine, base: Base, tolerated: Fraction | None) -> Growth:
    """How ``line`` compares with ``base``."""
    return Growth(line, base.used.get((line.artifact, line.resource, line.unit)), tolerated, base.since)
