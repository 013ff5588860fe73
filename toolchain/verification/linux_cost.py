"""What an artifact takes on a Linux system, measured in a clean process on this machine.

Both figures are this machine's: memory carries over to a board of the same word size roughly, latency does
not at all. They are labelled so.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.verification.linux_probe import MARK

TIMEOUT_S = 300.0
IMAGES = 50
"""Most images that are timed."""


@dataclass(frozen=True)
class LinuxCost:
    """What ``artifact`` takes in a clean process of ``runtime``, on this machine.

    ``resident_bytes`` is the peak above the bare runtime, None where the system does not tell; ``latency_us`` the
    median of an inference of one image on one thread after a warm-up, ``latency_p95_us`` the 95th percentile.
    """

    artifact: str
    runtime: str
    resident_bytes: int | None
    latency_us: int
    latency_p95_us: int
    where: str
    evidence: Literal["measured"] = "measured"


def this_machine() -> str:
    """How figures of this machine are labelled."""
    return f"on this machine ({platform.machine()}), not the board"


def measure(artifact: Path, runtime: str, images: NDArray[np.uint8]) -> LinuxCost:
    """Run up to ``IMAGES`` images through ``artifact`` in a process of its own, one at a time on one thread.

    ``runtime`` is ``onnxruntime``, ``tflite_runtime`` or ``ai_edge_litert``. Raises ``InputError`` if that fails.
    """
    root = Path(__file__).resolve().parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
        pixels = Path(folder) / "images.npy"
        np.save(pixels, images[:IMAGES], allow_pickle=False)
        command = [
            sys.executable,
            "-m",
            f"{__package__}.linux_probe",
            runtime,
            str(artifact.resolve()),
            str(pixels),
        ]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"{artifact} did not finish {IMAGES} images within {TIMEOUT_S:g} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise InputError(f"{artifact} cannot be measured: {said[-1] if said else 'the process died'}")
    told = json.loads(done.stdout.splitlines()[-1][len(MARK) :])
    return LinuxCost(artifact.name, runtime.replace("_", "-"), where=this_machine(), **told)
