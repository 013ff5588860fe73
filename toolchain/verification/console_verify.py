"""``verify --serial``: a run's network on the board behind a serial port, beside everything else that is verified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from toolchain.errors import InputError
from toolchain.graph.storage import load_graph
from toolchain.profiles.own_file import require_own, write_calibration
from toolchain.runs import RunFolder
from toolchain.verification.bench import Bench
from toolchain.verification.console_run import (
    console_calibration,
    require_calibrating,
    require_network,
    run_on_console,
)
from toolchain.verification.serial_port import open_console
from toolchain.verification.verdict import Verdict

FEWEST_CYCLES = 0.4
"""Cycles an instruction that no core is under: a Cortex-M7 begins two a cycle (its Technical Reference Manual)."""


class Verify(Protocol):
    """Verifies a run, with what runs it on a board."""

    def __call__(self, *, on_board: Callable[[Bench], None]) -> Verdict:
        """The verdict, written to the run's report."""
        ...


def verify_with_console(
    run: RunFolder,
    device: str,
    baud: int,
    calibrate: Path | None,
    verify: Verify,
    progress: Callable[[str], None],
) -> Verdict:
    """``verify`` with the board behind the serial port ``device``; its calibration goes into the file ``calibrate``.

    Everything that a user may have to mend is looked at first, since verifying takes minutes. Raises ``InputError`` if
    the port, the board or its network is not the one wanted, or nothing can be calibrated; ``ToolMissingError`` without
    pyserial.
    """
    graph, profile = load_graph(run.path), run.profile()
    if profile.role == "linux":
        raise InputError(
            f"--serial is for microcontrollers, and {profile.name} runs Linux; reach it with --host"
        )
    if calibrate is not None:
        require_own(calibrate, profile)
    with open_console(device, baud) as console:
        require_network(console.identity, graph, console.where)

        def on_board(bench: Bench) -> None:
            run_on_console(bench, console)
            if calibrate is not None:
                require_calibrating(bench)

        verdict = verify(on_board=on_board)
    if calibrate is not None and verdict.passed:
        found = console_calibration(verdict, graph, profile)
        write_calibration(calibrate, profile, found)
        progress(f"wrote the calibration to {calibrate}")
        if (found.cycles_per_instruction or 0) < FEWEST_CYCLES:
            progress(
                f"warning: {found.cycles_per_instruction:.2f} cycles an instruction are fewer than a core can do; see "
                "that the console's counter_hz and clock_hz are those of the board"
            )
    elif calibrate is not None:
        progress(f"{calibrate} is as it was: what failed calibrates nothing")
    return verdict
