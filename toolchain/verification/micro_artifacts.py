"""The TFLite artifacts for microcontrollers: their integers in TensorFlow Lite Micro (TFLM), in the board's own arena.

The network is run in exactly the bytes that the board's SRAM leaves, so what is too large is not added up but seen to
fail. The smallest arena is found besides. TFLM runs on this 64-bit machine, where its bookkeeping takes up to twice
the bytes that it takes on a microcontroller; tensors take the same.
"""

from __future__ import annotations

from pathlib import Path

from toolchain.cost.tflm import Form, predicted
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import BudgetLine, micro_line, weights_region

FILES: dict[str, Form] = {"model_micro.tflite": "unrolled", "model_micro_step.tflite": "step"}

MICRO_S, STEP_S = 60.0, 15.0
"""Without ``--samples``, as many images as this many seconds allow are run: TFLM's reference kernels are slow."""

HERE = "on this 64-bit machine, an upper bound; without TFLM's own statics"
UNMEASURED_CODE = "TFLM's own code comes on top, some tens of KiB (estimate), and is not counted"


def verify_micro(bench: Bench) -> None:
    """Run ``model_micro.tflite`` and ``model_micro_step.tflite``, those that the run has."""
    for name, form in FILES.items():
        with bench.recording():
            path = bench.present(name)
            if path is not None:
                bench.progress(f"running {name}")
                _verify(bench, path, MICRO_S if form == "unrolled" else STEP_S)
                bench.hold(predicted_lines(bench.graph, bench.profile, bench.limits, name))


def predicted_lines(graph: Graph, profile: Profile, limits: Budget, name: str) -> list[BudgetLine]:
    """What the cost model says that the file ``name`` takes; none where the board sets no limit for it."""
    available, region = arena_bytes(profile, limits), weights_region(limits)
    if available is None or region is None:
        return []
    found, artifact = predicted(graph, profile, FILES[name]), f"prediction of {name}"
    return [
        BudgetLine(artifact, region.name, found.file_bytes, region.available_bytes, "estimated"),
        BudgetLine(artifact, "arena", found.arena_bytes, available, "estimated", note=HERE),
    ]


def arena_bytes(profile: Profile, limits: Budget) -> int | None:
    """Bytes that TFLM's arena may have: the largest region for buffers, less the stack if that is there too.

    An arena cannot be in two regions; with the stack it keeps to the limit of all SRAM. None where the board sets no
    such limit.
    """
    regions = [region for region in limits.regions if region.kind == "sram" and "buffers" in region.holds]
    sizes = [region.available_bytes - profile.stack_bytes * ("stack" in region.holds) for region in regions]
    if not sizes or limits.sram_bytes is None:
        return None
    return min(max(sizes), limits.sram_bytes - profile.stack_bytes)


def _verify(bench: Bench, path: Path, seconds: float) -> None:
    from toolchain.verification.runtimes.tflm import TflmRuntime

    available = arena_bytes(bench.profile, bench.limits)
    smallest = TflmRuntime(path).smallest_arena_bytes()
    used = smallest if available is None else max(available, smallest)
    runtime = TflmRuntime(path, used)
    bench.require_own(path, runtime.facts)
    scores = runtime.scores(bench.images) if bench.sampled else runtime.scores(bench.images, seconds)
    if len(scores) < len(bench.images):
        bench.notes.append(
            f"{path.name} ran {len(scores)} of {len(bench.images)} images in {runtime.name}, in some {seconds:g} s; "
            f"`--samples {len(bench.images)}` runs all"
        )
    bench.compare(path.name, runtime, scores)
    if available is not None:
        bench.hold([micro_line(path, bench.profile, bench.limits)])
        bench.hold([BudgetLine(path.name, "arena", smallest, available, "measured", note=HERE)])
        bench.notes.append(
            f"{path.name} ran in an arena of {used:,} bytes"
            + (
                ", all that one SRAM region leaves beside the stack"
                if used == available
                else ", more than there is"
            )
            + f"; {UNMEASURED_CODE}"
        )
