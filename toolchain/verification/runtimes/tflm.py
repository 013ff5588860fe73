"""Integer TFLite artifacts in TensorFlow Lite Micro (TFLM), its reference kernels, on this machine's processor.

TFLM runs in a process of its own: where it does not expect something, it aborts, and some arenas that are too small
make it crash.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.tflite.micro_read import load
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.preprocessing import Preprocessing
from toolchain.verification.runtimes.base import Evidence
from toolchain.verification.runtimes.batches import require_shape
from toolchain.verification.runtimes.libraries import first_line

AMPLE_BYTES = 1 << 28
"""An arena for networks whose own is not known."""

NO_LIMIT_S = 1e9
ARENA_TIMEOUT_S = 300.0

Images = NDArray[np.uint8]
Scores = NDArray[np.int32]


class TflmRuntime:
    """``model_micro.tflite`` or ``model_micro_step.tflite`` in an arena of ``arena_bytes``.

    Raises ``InputError`` if the file is missing, broken or foreign, ``ToolMissingError`` without the wheel.
    """

    evidence: Evidence = "measured"

    def __init__(self, path: Path, arena_bytes: int = AMPLE_BYTES) -> None:
        self._path, self._arena_bytes = path, arena_bytes
        self.facts, self._shape, self._states = load(path)
        self.name = f"tflite-micro {_version()}" + (", step by step" if self._states else "")
        self._frames = Preprocessing.from_dict(self.facts["preprocessing"]).frames

    def scores(self, images: Images, seconds: float = NO_LIMIT_S) -> Scores:
        """Scores int32 [n, classes] of pixels uint8 [n, C, H, W] or [n, T, C, H, W], as many as ``seconds`` allow.

        Raises ``InputError`` if the arena is too small, or TFLM refuses the model.
        """
        shape: tuple[int, ...] = self._shape if self._frames == 1 else (self._frames, *self._shape)
        require_shape(images, shape, self._path)
        samples = images if len(images) else np.zeros((1, *shape), np.uint8)
        with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
            source, result = Path(folder) / "images.npy", Path(folder) / "scores.npy"
            np.save(source, samples, allow_pickle=False)
            numbers = (self._arena_bytes, self.facts["time_steps"], self._states, seconds)
            _probe("scores", self._path, *map(str, numbers), str(source), str(result))
            found: Scores = np.load(result, allow_pickle=False)
        return found[: len(images)]

    def smallest_arena_bytes(self) -> int:
        """The smallest arena that TFLM accepts, in steps of 16 bytes; raises ``InputError`` if there is none."""
        said = _probe("arena", self._path, timeout_s=ARENA_TIMEOUT_S)
        return int(json.loads(said.splitlines()[-1])["arena_bytes"])


def missing() -> str:
    """What to install for TFLM; empty if it is there."""
    if find_spec("tflite_micro") is not None:
        return ""
    return (
        "TensorFlow Lite Micro is not installed; `pip install 'spikenas-deploy[mcu]'` has it, "
        "for Linux on x86-64 alone"
    )


def _version() -> str:
    if reason := missing():
        raise ToolMissingError(reason)
    return metadata.version("tflite-micro")


def _probe(command: str, model: Path, *rest: str, timeout_s: float | None = None) -> str:
    root = Path(__file__).resolve().parents[3]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "toolchain.verification.tflm_probe", command, str(model.resolve()), *rest],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"TensorFlow Lite Micro did not load {model} within {timeout_s:g} s") from None
    if done.returncode:
        # What TFLM says comes before Python's traceback, of which the last line names nothing.
        said = done.stderr.partition("Traceback")[0].strip() or done.stderr.strip().rpartition("\n")[2]
        reason = said.partition("\n")[0]
        crashed = f"it crashed in an arena of {rest[0]} bytes" if rest else "it crashed"
        reason = first_line(RuntimeError(reason or crashed))
        raise InputError(f"TensorFlow Lite Micro cannot run {model}: {reason}")
    return done.stdout
