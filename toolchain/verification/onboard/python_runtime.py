"""ONNX and TFLite files in the board's own Python and runtime."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError, ToolMissingError
from toolchain.verification import linux_probe
from toolchain.verification.onboard.connection import NOT_FOUND, Connection, python_missing
from toolchain.verification.onboard.measured import Measured, answer_bytes, measured, told

RUN_S = 60.0
"""Seconds that the images may take, unless their number was asked for; some are run in any case."""

LIMIT_S = 1800.0
START_S = 120.0
"""Seconds for a small board to import its runtime and open a file."""

PROBE = "spikenas_probe.py"
OLDEST = (3, 6)
LIBRARIES = {
    "model.onnx": ("onnxruntime",),
    "model.tflite": ("tflite_runtime", "ai_edge_litert"),
}
"""Artifact -> the modules that run it."""


@dataclass(frozen=True)
class BoardPython:
    """Python on a board, and the version of every module there; ``missing`` says why a module is not."""

    connection: Connection
    program: str
    found: dict[str, str]
    missing: dict[str, str]

    def library(self, artifact: str, preferred: str | None) -> str | None:
        """The module there that runs ``artifact``: ``preferred``, a distribution's name, if there are several."""
        here = [each for each in LIBRARIES[artifact] if each in self.found and "numpy" in self.found]
        wanted = (preferred or "").replace("-", "_")
        return wanted if wanted in here else here[0] if here else None

    def advice(self, artifact: str, preferred: str | None) -> ToolMissingError:
        """That the board cannot run ``artifact``, and how to install on it what does."""
        names = LIBRARIES[artifact]
        wanted = (preferred or "").replace("-", "_")
        name = "numpy" if "numpy" in self.missing else wanted if wanted in names else names[0]
        needs = f"{name.replace('_', '-')} numpy" if name != "numpy" else "numpy"
        if name == "tflite_runtime":
            needs = "tflite-runtime 'numpy<2'"
        why = self.missing.get(name, "it is not there")
        return ToolMissingError(
            f"{artifact} needs {name.replace('_', '-')} on {self.connection.host.address}, whose {self.program} "
            f"(Python {self.found['python']}) cannot import it ({why}); on the board: "
            f"`{self.program} -m pip install {needs}`, or name a Python that has it with --board-python"
        )

    def run(
        self, artifact: Path, library: str, images: NDArray[np.uint8], classes: int, all_: bool
    ) -> Measured:
        """Run ``images`` uint8 [n, C, H, W] or [n, T, C, H, W]: all of them with ``all_``, else what ``RUN_S`` allows.

        Raises ``InputError`` if that fails, or what comes back is broken.
        """
        who = f"{library.replace('_', '-')} on {self.connection.host.address}"
        with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
            pixels = Path(folder) / "images.npy"
            np.save(pixels, images, allow_pickle=False)
            self.connection.send([artifact, pixels])
        seconds = LIMIT_S - START_S if all_ else RUN_S
        found = self.connection.run(
            [self.program, PROBE, library, artifact.name, pixels.name, f"{seconds:.0f}"],
            LIMIT_S if all_ else RUN_S + START_S,
            answer_bytes(len(images), classes),
        )
        if found.code:
            raise InputError(f"{artifact} cannot be run in {who}: {found.words}")
        return measured(told(found.output, who), len(images), who)


def board_python(connection: Connection, program: str) -> BoardPython:
    """Send our program to the board, and ask what is installed there.

    Raises ``ToolMissingError`` if the board has no such Python, or one before 3.6; ``InputError`` without an answer.
    """
    host = connection.host
    with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
        # A name of its own, because Python looks for modules beside a program first.
        connection.send([Path(shutil.copy(linux_probe.__file__, Path(folder) / PROBE))])
    asked = connection.run([program, "-c", "import sys; print(sys.version_info[:2] >= (3, 6))"])
    if asked.code == NOT_FOUND:
        raise python_missing(host, program)
    if asked.output.split()[-1:] != [b"True"]:
        raise ToolMissingError(
            f"{program} on {host.address} is no Python {'.'.join(map(str, OLDEST))} or newer; on the board: "
            "`sudo apt-get install python3`, or name another with --board-python"
        )
    answer = connection.run([program, PROBE, "versions"], START_S)
    if answer.code:
        raise InputError(f"{program} on {host.address} does not run: {answer.words}")
    answers = told(answer.output, program)
    return BoardPython(connection, program, _texts(answers.get("found")), _texts(answers.get("missing")))


def _texts(given: object) -> dict[str, str]:
    """Names that we asked for -> one short printable line each."""
    known: Sequence[str] = ("python", "numpy", *linux_probe.RUNTIMES)
    if not isinstance(given, dict):
        return {}
    return {
        name: "".join(each for each in given[name] if each.isprintable())[:120]
        for name in known
        if isinstance(given.get(name), str)
    }
