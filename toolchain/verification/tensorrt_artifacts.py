"""The artifacts for TensorRT: their integers in ONNX Runtime, their size, and what float16 would lose.

TensorRT itself is not run: there is none here. What it takes and how fast it is, only ``trtexec`` on the board tells
(``onboard``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.onnx.tensorrt import FLOAT_FILE, INT8_FILE, Engine, engines
from toolchain.verification.bench import Bench
from toolchain.verification.budget_lines import model_line
from toolchain.verification.runtimes.tensorrt_model import TensorrtModel

FLOAT16_IMAGES = 200
"""Images of the emulation, which runs without any optimization."""


def verify_tensorrt(bench: Bench) -> None:
    """Run ``model_tensorrt.onnx`` and ``model_tensorrt_int8.onnx``, those that the run has."""
    for name in (FLOAT_FILE, INT8_FILE):
        with bench.recording():
            path = bench.present(name)
            if path is not None:
                bench.progress(f"running {name} in ONNX Runtime")
                _verify(bench, path)


def _verify(bench: Bench, path: Path) -> None:
    model = TensorrtModel(path)
    bench.require_own(path, model.facts)
    bench.compare(path.name, model, model.scores(bench.images))
    if bench.limits.artifact_bytes is not None:
        bench.hold([model_line(path, bench.profile, bench.limits)])
    for engine in engines(bench.profile):
        if engine.file == path.name:
            bench.notes.append(not_run(engine))
            if engine.precision == "float16":
                bench.progress("emulating float16")
                bench.notes.append(_loss(bench, model))


def not_run(engine: Engine) -> str:
    """What is said of an engine that no board has run."""
    exact = "not exact" if engine.precision == "float16" else "exact"
    return (
        f"{engine.file} in TensorRT, {engine.precision}: not run, latency and memory unknown; on the board: "
        f"`{engine.command}` ({exact})"
    )


def _loss(bench: Bench, model: TensorrtModel) -> str:
    """What float16 does to the outputs, in a sentence."""
    images = bench.images[:FLOAT16_IMAGES]
    found = model.values_in_float16(images)
    wanted = bench.graph.values(bench.expected[: len(images)])
    count = int((found != wanted).sum())
    lost = f"{count:,} of {found.size:,} outputs differ"
    if bench.graph.task == "classification":
        same = int((_classes(found) == wanted.argmax(axis=1)).sum())
        lost += f", the class is the same in {same:,} of {len(images):,} images"
    else:
        spread = np.maximum(np.abs(wanted).max(axis=0), np.finfo(np.float32).tiny)
        apart = np.abs(np.nan_to_num(found - wanted, nan=np.inf)).max(axis=0) / spread
        lost += f", by up to {100 * float(apart.max()):.3g} % of the largest value"
    return f"{model.path.name} in float16 (emulated: each operator's result rounded, on this machine): {lost}"


def _classes(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Class of each row; a value that is no number never wins."""
    found: NDArray[np.int64] = np.nan_to_num(values, nan=-np.inf).argmax(axis=1)
    return found
