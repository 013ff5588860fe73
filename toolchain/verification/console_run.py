"""The network on a real microcontroller, through its console: its integers against the reference, and what it took."""

from __future__ import annotations

import time
from statistics import median_high

import numpy as np
from numpy.typing import NDArray

from exporters.c.arrays import pixels_last
from toolchain import __version__
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Calibration, Profile
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.calibration import firmware_calibration
from toolchain.verification.console_protocol import Identity
from toolchain.verification.console_session import Console
from toolchain.verification.firmware_run import INSPECTED_IMAGES
from toolchain.verification.runtimes.base import BoardRuntime
from toolchain.verification.verdict import ConsoleRun, Verdict

ARTIFACT = "firmware on the board"

BOARD_S = 120.0
"""Without ``--samples``, as many images are run as this many seconds allow."""

_TELL_S = 5.0


def require_network(identity: Identity, graph: Graph, where: str) -> None:
    """Raise ``InputError`` unless the board runs ``graph``: by its sha256, and by the sizes that the firmware gave."""
    if identity.sha256 != graph.sha256():
        raise InputError(
            f"the board on {where} runs another network (sha256 {identity.sha256[:12]}..., exported by spikenas-deploy "
            f"{identity.version}) than this run's ({graph.sha256()[:12]}...); build its firmware with this run's "
            "artifacts/c and write it again"
        )
    if (identity.image_bytes, identity.outputs) != (graph.input.size, graph.head.classes):
        raise InputError(
            f"the board on {where} takes {identity.image_bytes} bytes and gives {identity.outputs} scores, and this "
            f"network takes {graph.input.size} and gives {graph.head.classes}; give its console the sizes of net.h"
        )


def run_on_console(bench: Bench, console: Console) -> None:
    """Run the known-answer test and the images of ``bench`` on the board, and record what differs and what it took.

    Raises ``InputError`` if the board stops answering.
    """
    identity = console.identity
    require_network(identity, bench.graph, console.where)
    bench.progress(f"running the known-answer test on {console.where}")
    known = console.self_test()
    if not known:
        bench.fail(
            "differs",
            f"the board on {console.where} fails its known-answer test: weights or code are not as exported; write its "
            "firmware again",
        )
    if identity.version != __version__[:15]:
        bench.notes.append(
            f"the board's firmware was exported by spikenas-deploy {identity.version}, and this is {__version__}"
        )
    scores, counts = _run_images(bench, console)
    name = f"{identity.prefix} on {console.where}"
    bench.compare(ARTIFACT, BoardRuntime(name), scores)
    clock_hz = identity.clock_hz or bench.profile.clock_hz
    cycles = [round(count * clock_hz / (identity.counter_hz or clock_hz)) for count in counts]
    run = ConsoleRun(
        port=console.where,
        prefix=identity.prefix,
        version=identity.version,
        compiler=identity.compiler,
        known_answer=known,
        images=len(scores),
        clock_hz=clock_hz,
        clock_from="board" if identity.clock_hz else "profile",
        counted="none" if not cycles else "time" if identity.counter_hz else "cycles",
        cycles=median_high(cycles) if cycles else None,
        cycles_most=max(cycles, default=None),
        first_cycles=tuple(cycles[:INSPECTED_IMAGES]),
    )
    if run.latency_us is not None and run.latency_most_us is not None and bench.limits.latency_ms is not None:
        available = int(bench.limits.latency_ms * 1000)
        bench.hold(
            [
                BudgetLine(
                    ARTIFACT, "latency", run.latency_most_us, available, "measured", "us", "the slowest image"
                )
            ]
        )
    if not cycles:
        bench.notes.append(
            f"the board on {console.where} has no counter, so nothing says how long it takes; give its console one"
        )
    bench.consoles.append(run)


def require_calibrating(bench: Bench) -> None:
    """Raise ``InputError``, before the emulator takes its time, if the last board did not tell what an image takes."""
    if not bench.consoles[-1].first_cycles:
        raise InputError(
            f"{bench.consoles[-1].description}, did not tell how long an image takes, so --calibrate has nothing to "
            "write; give its console a counter, such as snn_cycles, or leave --calibrate out"
        )


def console_calibration(verdict: Verdict, graph: Graph, profile: Profile) -> Calibration:
    """The calibration from a verdict with a board in it: measured cycles over emulated instructions of the same images.

    Raises ``InputError`` if no emulator counted instructions.
    """
    (found,) = verdict.consoles
    counted = next((report for report in verdict.firmware if report.instructions), None)
    if counted is None:
        raise InputError(
            f"no emulator counted the instructions of an image for {profile.name}, which a calibration compares with; "
            "the report has what was measured"
        )
    count = min(len(found.first_cycles), len(counted.instructions))
    return firmware_calibration(
        graph,
        profile,
        found.description,
        counted.artifact,
        sum(found.first_cycles[:count]) / count,
        sum(counted.instructions[:count]) / count,
    )


def _run_images(bench: Bench, console: Console) -> tuple[NDArray[np.int32], list[int]]:
    """Scores int32 [n, classes] of the first images, and the counts of each if the board has a counter."""
    start = told = time.monotonic()
    rows: list[NDArray[np.int32]] = []
    counts: list[int] = []
    for image in bench.images:
        scores, count = console.infer(pixels_last(image).tobytes())
        rows.append(scores)
        # A core without its counter counts nothing.
        counts += [count] if count else []
        now = time.monotonic()
        if now - told > _TELL_S:
            told = now
            bench.progress(f"on the board: {len(rows)} of {len(bench.images)} images")
        if not bench.sampled and now - start > BOARD_S and len(rows) < len(bench.images):
            bench.notes.append(
                f"the board ran {len(rows)} of {len(bench.images)} images, in some {BOARD_S:g} s; "
                f"`--samples {len(bench.images)}` runs all"
            )
            break
    return np.stack(rows), counts if len(counts) == len(rows) else []
