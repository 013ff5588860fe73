"""The outcome of ``verify``, and the budget with what is used of it."""

from __future__ import annotations

from typing import Literal

from toolchain.reporting.document.part import Evidence, Part


class BudgetRow(Part):
    """``used`` of ``available``, in ``unit``, of ``resource`` by ``artifact``; headroom is negative if over.

    Where nothing limits the resource, ``available`` and ``headroom`` are null. By what is not ``binding`` nothing
    fails: an estimate for a board that was never timed.
    """

    artifact: str
    resource: str
    used: int
    available: int | None
    headroom: int | None
    unit: Literal["bytes", "us", "uj", "operations"]
    evidence: Evidence
    note: str
    binding: bool = True


class Failure(Part):
    """Why a verdict is not passed."""

    cause: str
    message: str


class FirstSpike(Part):
    """Where spikes first differ, in the first image whose scores do: ``differing`` of the ``spikes`` of ``node``.

    Where all spikes agree, ``node`` is the read-out, and place and time are null.
    """

    image: int
    node: str
    time_step: int | None
    channel: int | None
    row: int | None
    column: int | None
    expected: int | None
    got: int | None
    differing: int
    spikes: int


class Compared(Part):
    """Integers of one artifact in one runtime against the reference's; ``spikes`` if they differ and it shows them."""

    artifact: str
    runtime: str
    evidence: Evidence
    images: int
    integers: int
    differing: int
    spikes: FirstSpike | None = None


class OnBoard(Part):
    """A real board that artifacts ran on, and what it said of itself; null is what its system does not tell.

    Temperatures are degrees Celsius of the hottest zone, the clock is the slowest core's afterwards; ``throttled`` says
    whether heat or a weak supply held it back.
    """

    board: str
    machine: str
    system: str
    temperature_before_c: float | None
    temperature_after_c: float | None
    clock_mhz: float | None
    highest_clock_mhz: float | None
    throttled: bool | None
    evidence: Evidence


class Verdict(Part):
    """The outcome of ``verify``; ``proofs`` that do not hold are among the failures."""

    passed: bool
    images: int
    failures: list[Failure]
    notes: list[str]
    compared: list[Compared]
    boards: list[OnBoard] = []
