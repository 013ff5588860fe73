"""Runs in a process of its own: resident memory above the bare runtime, and latency, of one artifact.

    python -m toolchain.verification.linux_probe RUNTIME MODEL IMAGES.npy [SCORES.npy]

RUNTIME is ``onnxruntime``, ``tflite_runtime`` or ``ai_edge_litert``. The bare runtime is the process after
it has imported the runtime and numpy. Prints one JSON object; with SCORES.npy it writes the scores there instead, and
needs nothing but numpy and the runtime, on any architecture. It uses the runtime as a program on a board
would, without this toolchain's reading and checking of the file.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP = 5
"""Inferences before the timed ones."""

TIMED = 40
"""Fewest inferences that are timed, so that a 95th percentile is not the largest of a few."""


def main(runtime: str, model: str, images: str, scores: str = "") -> None:
    """Load, run every image, and print ``resident_bytes`` (None where Linux' /proc is absent) and the times."""
    pixels = np.load(images, allow_pickle=False)
    open_model = _onnx if runtime == "onnxruntime" else _tflite
    library = import_module("onnxruntime" if runtime == "onnxruntime" else f"{runtime}.interpreter")
    before = _resident_bytes("VmRSS")
    _forget_peak()
    run = open_model(library, model)
    if scores:
        found = [run(image[np.newaxis])[0] for image in pixels]
        np.save(scores, np.array(found, np.int32), allow_pickle=False)
        return
    times = []
    for index in range(WARM_UP + max(TIMED, len(pixels))):
        image = pixels[index % len(pixels)][np.newaxis]
        start = time.perf_counter_ns()
        run(image)
        times.append(time.perf_counter_ns() - start)
    peak = _resident_bytes("VmHWM")
    resident = None if before is None or peak is None else max(0, peak - before)
    median, slow = (int(value) // 1000 for value in np.percentile(times[WARM_UP:], (50, 95)))
    print(json.dumps({"resident_bytes": resident, "latency_us": median, "latency_p95_us": slow}))


def _onnx(library: Any, model: str) -> Callable[[Any], Any]:
    options = library.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = library.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def _tflite(library: Any, model: str) -> Callable[[Any], Any]:
    interpreter = library.Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]

    def run(image: Any) -> Any:
        # Frames of an image stand where other networks have a batch.
        interpreter.set_tensor(entry["index"], np.moveaxis(image, -3, -1).reshape(entry["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return run


def _resident_bytes(field: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _forget_peak() -> None:
    """Let the peak begin at what is resident now, so that what importing took in passing does not hide the model."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
