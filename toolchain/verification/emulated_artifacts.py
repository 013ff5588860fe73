"""The artifacts of Linux boards on another architecture, emulated: their integers, and nothing of time or memory."""

from __future__ import annotations

from toolchain.verification.bench import Bench
from toolchain.verification.foreign_root import foreign_root
from toolchain.verification.runtimes.qemu_user import QemuUserRuntime

IMAGES = 50
"""Images that are run, if the user has not said how many: an emulated processor is slow."""

_LIBRARIES = {"model.onnx": ("onnxruntime",), "model.tflite": ("tflite_runtime", "ai_edge_litert")}


def verify_emulated(bench: Bench, architecture: str) -> None:
    """Run ``model.onnx`` and ``model.tflite``, those that the run has, in the runtimes of ``architecture``.

    Raises as ``foreign_root`` does. Only files that ran on this machine, and so have been checked, are run.
    """
    checked = {row.artifact for row in bench.comparisons}
    root = foreign_root(architecture, bench.progress)
    images = bench.images if bench.sampled else bench.images[:IMAGES]
    for name, libraries in _LIBRARIES.items():
        path = bench.artifacts / name
        if name not in checked:
            continue
        for library in libraries:
            if library not in root.architecture.runtimes:
                bench.notes.append(
                    f"{library.replace('_', '-')} has no wheel for {architecture}, so {name} was not run in it there"
                )
                continue
            with bench.recording():
                runtime = QemuUserRuntime(path, library, root)
                bench.progress(f"emulating {name} in {runtime.name}")
                bench.compare(name, runtime, runtime.scores(images))
