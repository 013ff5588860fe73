"""The artifacts of Linux boards: the integers in their runtimes, and their cost on this machine."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine, model_line
from toolchain.verification.linux_cost import measure, this_machine
from toolchain.verification.prediction import predicted_lines
from toolchain.verification.runtimes.base import Runtime

STEP_IMAGES = 50
"""Images of the step form: it is the unrolled form's one step, called again and again, and slow to call from here."""

REFERENCE_IMAGES, REFERENCE_S = 20, 20.0
"""Fewest images in TFLite's reference kernels, which are slow, and the seconds that all of them may take."""


def verify_linux(bench: Bench) -> None:
    """Run ``model.onnx``, ``model_step.onnx`` and ``model.tflite``, those that the run has."""
    found = False
    for name, verify_one in (
        ("model.onnx", _onnx),
        ("model_step.onnx", _onnx_step),
        ("model.tflite", _tflite),
    ):
        with bench.recording():
            path = bench.present(name)
            if path is not None:
                bench.progress(f"running {name}")
                found = True
                verify_one(bench, path)
    if found:
        # Files and memory have been measured; only the cost model speaks of the board's own time.
        predicted = predicted_lines(bench.graph, bench.profile, bench.limits)
        bench.hold([line for line in predicted if line.resource == "latency"])


def _onnx(bench: Bench, path: Path) -> None:
    from toolchain.verification.runtimes.onnxruntime import OnnxRuntime

    runtime = OnnxRuntime(path)
    bench.require_own(path, runtime.facts)
    _loads_there(bench, path)
    bench.compare(path.name, runtime, runtime.scores(bench.images))
    _cost(bench, path, "onnxruntime")


def _onnx_step(bench: Bench, path: Path) -> None:
    from toolchain.verification.runtimes.onnxruntime import OnnxStepRuntime

    runtime = OnnxStepRuntime(path)
    bench.require_own(path, runtime.facts)
    _loads_there(bench, path)
    images = bench.images if bench.sampled else bench.images[:STEP_IMAGES]
    bench.compare(path.name, runtime, runtime.scores(images))
    if bench.limits.artifact_bytes is not None:
        bench.hold([model_line(path, bench.profile, bench.limits)])


def _tflite(bench: Bench, path: Path) -> None:
    from toolchain.verification.runtimes.tflite import Package, TfliteRuntime, available

    # Without any interpreter, opening the file says what to install.
    found: list[Package | None] = [*available()] or [None]
    for package in found:
        runtime = TfliteRuntime(path, package)
        bench.require_own(path, runtime.facts)
        bench.compare(path.name, runtime, runtime.scores(bench.images))
    plain = TfliteRuntime(path, found[-1], kernels="reference")
    bench.compare(path.name, plain, _timed_scores(bench, plain))
    wanted = bench.profile.runtime.tflite_package if bench.profile.runtime else None
    own = [package for package in found if wanted and package == wanted.replace("-", "_")]
    if wanted and not own:
        bench.notes.append(
            f"{bench.profile.name} runs {wanted}, which is not installed here; {path.name} was not run in it"
        )
    held = (own or found)[0]
    _cost(bench, path, str(held))
    if bench.limits.artifact_bytes is not None:
        bench.costs += [measure(path, str(package), bench.images) for package in found if package != held]


def _timed_scores(bench: Bench, runtime: Runtime) -> NDArray[np.int32]:
    """Scores of as many images as ``REFERENCE_S`` allows, if the user has not said how many."""
    if bench.sampled or len(bench.images) <= REFERENCE_IMAGES:
        return runtime.scores(bench.images)
    began = time.monotonic()
    first = runtime.scores(bench.images[:REFERENCE_IMAGES])
    rate = REFERENCE_IMAGES / max(time.monotonic() - began, 1e-6)
    count = min(len(bench.images), int(rate * REFERENCE_S))
    if count <= REFERENCE_IMAGES:
        return first
    return np.concatenate([first, runtime.scores(bench.images[REFERENCE_IMAGES:count])])


def _loads_there(bench: Bench, path: Path) -> None:
    """An ONNX file must keep to the operator set and IR version of the board's ONNX Runtime."""
    from exporters.onnx.read import load

    model, board = load(path), bench.profile.runtime
    opset = max(entry.version for entry in model.opset_import)
    if board is not None and (opset > board.onnx_opset or model.ir_version > board.onnx_ir_version):
        bench.fail(
            "broken",
            f"{path} has opset {opset} and IR {model.ir_version}, but ONNX Runtime {board.onnxruntime} of "
            f"{bench.profile.name} loads up to opset {board.onnx_opset} and IR {board.onnx_ir_version}; "
            "export it for this profile",
        )


def _cost(bench: Bench, path: Path, runtime: str) -> None:
    if bench.limits.artifact_bytes is None:
        return  # a microcontroller's network, exported for a desktop: there is no limit to hold it to
    bench.hold([model_line(path, bench.profile, bench.limits)])
    cost = measure(path, runtime, bench.images)
    bench.costs.append(cost)
    here, limits = this_machine(), bench.limits
    if limits.resident_bytes is not None and cost.resident_bytes is not None:
        line = BudgetLine(
            path.name, "resident memory", cost.resident_bytes, limits.resident_bytes, "measured", note=here
        )
        bench.hold([line])
    if limits.latency_ms is not None:
        available = round(limits.latency_ms * 1000)
        bench.hold([BudgetLine(path.name, "latency", cost.latency_us, available, "measured", "us", here)])
