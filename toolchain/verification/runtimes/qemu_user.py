"""Artifacts of Linux boards in that architecture's own runtime, on an emulated processor (qemu-user)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.verification import linux_probe
from toolchain.verification.foreign_root import ForeignRoot
from toolchain.verification.runtimes.base import Evidence

TIMEOUT_S = 60.0
IMAGE_S = 5.0
"""Seconds to start, and for each image: an emulated processor is ten to a hundred times slower."""


class QemuUserRuntime:
    """``artifact`` in ``library`` (``onnxruntime``, ``tflite_runtime`` or ``ai_edge_litert``) of ``root``.

    The file must have been checked before: what runs is a plain program of that architecture.
    """

    evidence: Evidence = "emulated"

    def __init__(self, artifact: Path, library: str, root: ForeignRoot) -> None:
        self._artifact, self._library, self._root = artifact, library, root
        distribution = library.replace("_", "-")
        machine = root.architecture
        self.name = f"{distribution} {root.versions[library]} on {machine.name} (qemu-user, {machine.cpu})"

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W] or [n, T, C, H, W].

        Raises ``InputError`` if the emulated program fails.
        """
        with tempfile.TemporaryDirectory(prefix="spikenas-") as name:
            folder = Path(name)
            # Alone in a folder, because Python looks for modules beside a program first.
            program = Path(shutil.copy(linux_probe.__file__, folder / "probe.py"))
            np.save(folder / "images.npy", images, allow_pickle=False)
            command = [
                *self._root.command(),
                str(program),
                self._library,
                str(self._artifact.resolve()),
                str(folder / "images.npy"),
                str(folder / "scores.npy"),
            ]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=TIMEOUT_S + IMAGE_S * len(images),
                    env=self._root.environment(),
                    cwd=folder,
                )
            except subprocess.TimeoutExpired:
                raise InputError(
                    f"{self._artifact} did not finish in {self.name}; try fewer --samples"
                ) from None
            if done.returncode:
                said = done.stderr.strip().splitlines()
                why = said[-1] if said else f"the program ended with {done.returncode}"
                raise InputError(f"{self._artifact} cannot be run in {self.name}: {why}")
            scores: NDArray[np.int32] = np.load(folder / "scores.npy", allow_pickle=False)
        return scores
