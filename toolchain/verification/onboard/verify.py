"""The artifacts of a run on the real board: their integers against the reference's, and what they take there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from exporters.onnx.tensorrt import Engine
from toolchain.errors import InputError
from toolchain.graph.storage import load_graph
from toolchain.profiles.own_file import write_calibration
from toolchain.runs import RunFolder
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.calibration import Taken, linux_calibration
from toolchain.verification.linux_cost import LinuxCost
from toolchain.verification.onboard.board import OpenBoard, Request, engines_of, opened
from toolchain.verification.onboard.python_runtime import LIBRARIES, RUN_S, BoardPython
from toolchain.verification.onboard.state import read_state
from toolchain.verification.onboard.trtexec import IMAGES, Trtexec, read_scores
from toolchain.verification.runtimes.base import BoardRuntime
from toolchain.verification.tensorrt_artifacts import not_run
from toolchain.verification.verdict import BoardReport, Verdict


def verify_with_board(
    run: RunFolder, request: Request, verify: Callable[..., Verdict], progress: Callable[[str], None]
) -> Verdict:
    """``verify``, which takes ``on_linux``, with the board of ``request``; its calibration goes into its own file.

    A board that is slower than the budget allows is calibrated too, one that computes something else is not. Raises as
    ``opened`` and ``verify`` do.
    """
    graph, profile = load_graph(run.path), run.profile()
    with opened(request, profile, run.artifacts, progress) as board:
        verdict = verify(on_linux=partial(verify_on_board, board=board))
    file = request.calibrate
    if file is None:
        return verdict
    if any(failure.cause != "over_budget" for failure in verdict.failures):
        progress(f"{file} is as it was: what failed calibrates nothing")
        return verdict
    taken = {
        cost.artifact: Taken(cost.latency_us, cost.resident_bytes)
        for cost in verdict.costs
        if cost.where == board.where
    }
    write_calibration(file, profile, linux_calibration(graph, board.name, taken))
    progress(f"wrote the calibration to {file}; use it as --profile {file}")
    return verdict


def verify_on_board(bench: Bench, board: OpenBoard) -> None:
    """Run on ``board`` what it can, compare the integers with the reference's, and hold what it took to the budget.

    Only files that ran on this machine, and so have been checked, are sent. Raises ``InputError`` if the board is lost.
    """
    checked = {row.artifact for row in bench.comparisons}
    bench.notes += [f"not run on {board.name}: {error}" for error in board.lacking]
    if board.python is not None:
        package = bench.profile.runtime.tflite_package if bench.profile.runtime else None
        for name in LIBRARIES:
            library = board.python.library(name, package)
            if name in checked and library is not None:
                with bench.recording():
                    _file(bench, board, board.python, name, library)
    if board.trtexec is not None:
        for engine in engines_of(bench.profile, bench.artifacts):
            if engine.file in checked:
                bench.notes[:] = [note for note in bench.notes if note != not_run(engine)]
                with bench.recording():
                    _engine(bench, board, board.trtexec, engine)
    after = read_state(board.connection)
    before = board.before
    bench.boards.append(
        BoardReport(
            board.name,
            before.machine,
            before.system,
            before.temperature_c,
            after.temperature_c,
            after.clock_mhz,
            after.highest_mhz,
            after.throttled if not before.throttled else True,
        )
    )
    if bench.boards[-1].throttled:
        bench.notes.append(
            f"{board.name} was held back by heat or its supply; its times are those of that state"
        )


def _file(bench: Bench, board: OpenBoard, python: BoardPython, name: str, library: str) -> None:
    where, version = board.where, python.found[library]
    bench.progress(f"running {name} {where}")
    found = python.run(bench.artifacts / name, library, bench.images, bench.graph.head.classes, bench.sampled)
    runtime = f"{library.replace('_', '-')} {version}"
    bench.compare(name, BoardRuntime(f"{runtime} {where}"), found.scores)
    if len(found.scores) < len(bench.images):
        bench.notes.append(
            f"{name} ran {len(found.scores)} of {len(bench.images)} images {where}, in some {RUN_S:g} s; "
            f"`--samples {len(bench.images)}` runs all"
        )
    cost = LinuxCost(name, runtime, found.resident_bytes, found.latency_us, found.latency_p95_us, where)
    _hold(bench, cost)


def _engine(bench: Bench, board: OpenBoard, trtexec: Trtexec, engine: Engine) -> None:
    """Compare and hold ``engine``; what is computed in float16 is not exact, so it is only told how much differs."""
    where = board.where
    bench.progress(f"building {engine.file} in TensorRT {where}, {engine.precision}")
    count = len(bench.images) if bench.sampled else min(IMAGES, len(bench.images))
    expected = bench.expected[:count]
    values, times = trtexec.run(bench.artifacts / engine.file, engine, bench.images[:count], bench.progress)
    runtime = f"trtexec ({engine.precision})"
    if values.shape != expected.shape:
        raise InputError(
            f"{runtime} {where} gives {values.shape[1]} values an image, not {expected.shape[1]}"
        )
    scores = read_scores(values, bench.graph.values(expected), bench.graph.score_exponents())
    if engine.precision == "float16":
        bench.notes.append(
            f"{engine.file} in {runtime} {where}: {int((scores != expected).sum()):,} of {scores.size:,} outputs differ"
        )
    else:
        bench.compare(engine.file, BoardRuntime(f"{runtime} {where}"), scores)
    median, slow = (int(each * 1000) for each in np.percentile(times, (50, 95)))
    _hold(bench, LinuxCost(engine.file, runtime, None, median, slow, where))


def _hold(bench: Bench, cost: LinuxCost) -> None:
    bench.costs.append(cost)
    limits = bench.limits
    if limits.resident_bytes is not None and cost.resident_bytes is not None:
        bench.hold(
            [
                BudgetLine(
                    cost.artifact,
                    "resident memory",
                    cost.resident_bytes,
                    limits.resident_bytes,
                    "measured",
                    note=cost.where,
                )
            ]
        )
    if limits.latency_ms is not None:
        available = round(limits.latency_ms * 1000)
        note = f"{cost.runtime} {cost.where}"
        bench.hold([BudgetLine(cost.artifact, "latency", cost.latency_us, available, "measured", "us", note)])
