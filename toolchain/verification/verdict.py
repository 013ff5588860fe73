"""The verdict of a verification: every figure with its evidence, what failed, and so passed or not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from toolchain.errors import InputError, OutputsDifferError, OverBudgetError, SpikenasError
from toolchain.files import read_json, write_json
from toolchain.profiles.schema import Profile
from toolchain.verification.activity import Activity
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.comparison import Comparison
from toolchain.verification.footprint_proof import Proof
from toolchain.verification.linux_cost import LinuxCost

SCHEMA = "spikenas-verdict/1"
"""Name and version of the JSON document; a change that breaks its readers raises the version."""

Cause = Literal["differs", "broken", "plan", "over_budget"]
"""Other integers than the reference; an artifact that cannot run; a footprint that is not as predicted; too large."""

_ERRORS: dict[Cause, type[SpikenasError]] = {
    "differs": OutputsDifferError,
    "broken": InputError,
    "plan": OutputsDifferError,
    "over_budget": OverBudgetError,
}
"""The error of each cause; of several causes, the first here decides."""


@dataclass(frozen=True)
class Failure:
    """One reason why the verdict is not passed."""

    cause: Cause
    message: str


@dataclass(frozen=True)
class FirmwareReport:
    """What a firmware image took and did; emulated, because no board was there.

    ``instructions`` are those of one inference on each inspected image, counted exactly (instructions, not
    cycles); empty where the emulator cannot count. ``estimated_instructions`` are what the cost model says of the same
    images at the spikes that the reference has of them; empty where nothing was counted. ``memory`` says on which
    memories it ran. ``stack_bound_bytes`` follow from the code: no path through it needs more, an exception at the
    deepest point included.
    """

    artifact: str
    runtime: str
    memory: str
    proofs: tuple[Proof, ...]
    instructions: tuple[int, ...]
    stack_used_bytes: int
    stack_reserved_bytes: int
    arena_written_bytes: int
    stack_bound_bytes: int | None = None
    estimated_instructions: tuple[int, ...] = ()


@dataclass(frozen=True)
class ConsoleRun:
    """The network on a real board, through its console on ``port``: ``images`` were run, after the known-answer test.

    ``version`` and ``compiler`` are those compiled in. ``cycles`` of the core are the median of the images,
    ``cycles_most`` those of the slowest, ``first_cycles`` those of the images whose instructions are emulated too;
    ``counted`` says whether the board counted them, or a time that is turned into them by ``clock_hz``.
    """

    port: str
    prefix: str
    version: str
    compiler: str
    known_answer: bool
    images: int
    clock_hz: int
    clock_from: Literal["board", "profile"]
    counted: Literal["none", "time", "cycles"]
    cycles: int | None
    cycles_most: int | None
    first_cycles: tuple[int, ...]
    evidence: Literal["measured"] = "measured"

    @property
    def latency_us(self) -> int | None:
        """Microseconds of the median image; None where the board has no counter."""
        return self._us(self.cycles)

    @property
    def latency_most_us(self) -> int | None:
        """Microseconds of the slowest image."""
        return self._us(self.cycles_most)

    def _us(self, cycles: int | None) -> int | None:
        return None if cycles is None or self.clock_hz <= 0 else round(cycles * 1e6 / self.clock_hz)

    @property
    def description(self) -> str:
        """The board, for people."""
        whose = "" if self.clock_from == "board" else " by its profile"
        return f"the board on {self.port}, {self.clock_hz / 1e6:g} MHz{whose}"


@dataclass(frozen=True)
class BoardReport:
    """A real Linux board that artifacts ran on: what it said of itself before and after, None where it does not tell.

    ``board`` is its model as the system names it. Temperatures are degrees Celsius of the hottest zone, clocks
    megahertz of the slowest core; ``throttled`` says whether heat or a weak supply held it back.
    """

    board: str
    machine: str
    system: str
    temperature_before_c: float | None
    temperature_after_c: float | None
    clock_mhz: float | None
    highest_clock_mhz: float | None
    throttled: bool | None
    evidence: Literal["measured"] = "measured"


@dataclass(frozen=True)
class Artifact:
    """A verified file: its name within ``artifacts``, size and hash."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of ``verify``; ``images`` test images were available, each comparison says how many it used.

    ``operations`` is what the network does an image, in any artifact; ``costs`` are what artifacts of Linux boards
    take on this machine or on the real ``boards``; ``consoles`` are microcontrollers that ran the network.
    docs/concepts/verdict.md describes the document.
    """

    profile: str
    profile_sha256: str
    graph_sha256: str
    images: int
    operations: Activity
    artifacts: tuple[Artifact, ...]
    comparisons: tuple[Comparison, ...]
    firmware: tuple[FirmwareReport, ...]
    budget: tuple[BudgetLine, ...]
    notes: tuple[str, ...]
    failures: tuple[Failure, ...]
    costs: tuple[LinuxCost, ...] = ()
    consoles: tuple[ConsoleRun, ...] = ()
    boards: tuple[BoardReport, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    def document(self) -> dict[str, Any]:
        """The verdict as JSON data, with what follows from the figures written out."""
        plain = asdict(self)
        for row, comparison in zip(plain["comparisons"], self.comparisons, strict=True):
            row["accuracy"] = comparison.accuracy
            row["reference_accuracy"] = comparison.reference_accuracy
        for row, line in zip(plain["budget"], self.budget, strict=True):
            row["headroom"] = line.headroom
        for report, firmware in zip(plain["firmware"], self.firmware, strict=True):
            report["evidence"] = "emulated"
            for row, proof in zip(report["proofs"], firmware.proofs, strict=True):
                row["holds"] = proof.holds
        for row, run in zip(plain["consoles"], self.consoles, strict=True):
            row["latency_us"] = run.latency_us
            row["latency_most_us"] = run.latency_most_us
        return {"schema": SCHEMA, "passed": self.passed, **plain}

    def write(self, path: Path) -> None:
        """Write the document atomically."""
        write_json(path, self.document())

    def error(self) -> SpikenasError | None:
        """What to raise so that the command ends with the right exit code; None if the verdict is passed."""
        for cause, kind in _ERRORS.items():
            messages = [failure.message for failure in self.failures if failure.cause == cause]
            if messages:
                more = len(self.failures) - 1
                return kind(messages[0] + (f" (and {more} more, see the report)" if more else ""))
        return None


def read_verdict(path: Path) -> Verdict:
    """The verdict that ``Verdict.write`` wrote; raises ``InputError`` if it is missing or of another form."""
    document = read_json(path)
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise InputError(
            f"{path} has the schema {found!r:.40}, and {SCHEMA!r} is read here; verify the run again"
        )
    try:
        return TypeAdapter(Verdict).validate_python(document)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise InputError(f"{path} is broken: {where}: {detail['msg']}; verify the run again") from error


def profile_sha256(profile: Profile) -> str:
    """Hash of everything that ``profile`` says, whatever file it came from."""
    return hashlib.sha256(json.dumps(profile.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
