"""Files for TensorRT in the board's own ``trtexec``: an engine is built there, and fed image by image.

Its options are those that TensorRT 8.0 to 10 print with --help. It writes values with six digits, as C++ streams do: a
value is taken for the reference's if that is what it is rounded to, so scores up to 100,000 are compared exactly.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.onnx.lowering import IMAGE
from exporters.onnx.tensorrt import VALUES, Engine
from toolchain.errors import InputError, ToolMissingError
from toolchain.flashing.ssh import COMMAND_S
from toolchain.verification.onboard.connection import Connection
from toolchain.verification.onboard.measured import MOST_US
from toolchain.verification.runtimes.tensorrt_model import NO_INTEGER

IMAGES = 10
"""Images that are run, if the user has not said how many: ``trtexec`` starts anew for each."""

BUILD_S, RUN_S = 540.0, 120.0
WARM_UP, TIMED = 10, 50
_WHERE = "command -v trtexec || ls /usr/src/tensorrt/bin/trtexec"
_OUTPUT, _TIMES = "output.json", "times.json"
_VALUES_BYTES, _TIMES_BYTES = 1 << 20, 1 << 20
_NO_NUMBER = re.compile(rb"(?<=[\s,\[])-?(?:nan|inf)(?=[\s,\]])")
_FILES = 100
"""Files that one command names at most."""

# $1 is the file to show. Only the end of what trtexec says matters, and it says much.
_RUN = """
shown=$1; shift
if [ $# -gt 0 ]; then "$@" > trtexec.log 2>&1 || { tail -c 2000 trtexec.log >&2; exit 1; }; fi
echo spikenas-file; cat -- "$shown"
"""


@dataclass(frozen=True)
class Trtexec:
    """``program`` on a board."""

    connection: Connection
    program: str

    def run(
        self, artifact: Path, engine: Engine, images: NDArray[np.uint8], progress: Callable[[str], None]
    ) -> tuple[NDArray[np.float64], list[float]]:
        """Build ``engine`` of ``artifact`` there and run ``images``, uint8 [n, C, H, W] or [n, T, C, H, W].

        Returns values [n, classes], and the milliseconds of inferences of the first image, with the way to the GPU and
        back. Raises ``InputError`` if something fails there or what comes back is broken.
        """
        self.connection.send([artifact])
        self._feed(images)
        built = f"model_{engine.precision}.engine"
        options = [option for option in engine.command.split()[1:] if not option.startswith("--saveEngine")]
        rows, times = [], []
        for index in range(len(images)):
            if index == 0:
                how = [*options, f"--saveEngine={built}", f"--exportTimes={_TIMES}"]
                how.append(f"--iterations={WARM_UP + TIMED}")
            else:
                how = [f"--loadEngine={built}", "--iterations=1"]
            given = [f"--loadInputs={IMAGE}:{_feed_name(index)}", f"--exportOutput={_OUTPUT}"]
            words = [self.program, *how, "--warmUp=0", "--duration=0", *given]
            rows.append(self._values(engine, words, BUILD_S if index == 0 else RUN_S))
            if index == 0:
                times = self._times(engine)
            progress(f"{artifact.name} in {self._who(engine)}: {index + 1} of {len(images)} images")
        if any(len(row) != len(rows[0]) for row in rows):
            raise InputError(f"{self._who(engine)} gives {VALUES} of several lengths")
        return np.array(rows, np.float64), times

    def _who(self, engine: Engine) -> str:
        return f"trtexec ({engine.precision}) on {self.connection.host.address}"

    def _feed(self, images: NDArray[np.uint8]) -> None:
        with tempfile.TemporaryDirectory(prefix="spikenas-") as folder:
            files = [Path(folder) / _feed_name(index) for index in range(len(images))]
            for file, image in zip(files, images, strict=True):
                file.write_bytes(image.astype("<f4").tobytes())
            for first in range(0, len(files), _FILES):
                self.connection.send(files[first : first + _FILES])

    def _values(self, engine: Engine, words: list[str], limit_s: float) -> list[float]:
        found = self._json(engine, [_OUTPUT, *words], limit_s, _VALUES_BYTES)
        rows = [row.get("values") for row in found if isinstance(row, dict) and row.get("name") == VALUES]
        values = rows[0] if rows else None
        if (
            not isinstance(values, list)
            or not values
            or not all(each is None or _is_number(each) for each in values)
        ):
            raise InputError(f"{self._who(engine)} gives no {VALUES}")
        return [np.nan if each is None else each for each in values]

    def _times(self, engine: Engine) -> list[float]:
        found = self._json(engine, [_TIMES], COMMAND_S, _TIMES_BYTES)
        times: list[Any] = [row.get("latencyMs") for row in found if isinstance(row, dict)][WARM_UP:]
        if not times or not all(_is_number(each) and 0 <= each * 1000 <= MOST_US for each in times):
            raise InputError(f"{self._who(engine)} gives no times of an inference")
        return times

    def _json(self, engine: Engine, words: list[str], limit_s: float, max_bytes: int) -> list[Any]:
        """The list in the file that ``words`` begin with, after what follows in them was run."""
        done = self.connection.run(["sh", "-c", _RUN, "sh", *words], limit_s, max_bytes)
        if done.code:
            raise InputError(f"{self._who(engine)} fails: {done.words}")
        try:
            # What is no number, as in float16 out of its range, is none in JSON.
            found = json.loads(_NO_NUMBER.sub(b"null", done.output.partition(b"spikenas-file\n")[2]))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            raise InputError(f"{self._who(engine)} writes no {words[0]} that is read here")
        return found


def find_trtexec(connection: Connection) -> Trtexec:
    """Raises ``ToolMissingError`` if the board has no trtexec."""
    found = connection.run(["sh", "-c", _WHERE]).output.decode(errors="replace").split("\n")
    program = next((line for line in found if line.startswith("/") and line.endswith("/trtexec")), None)
    if program is None:
        raise ToolMissingError(
            f"{connection.host.address} has no trtexec, which builds and runs TensorRT engines; on the board: "
            "`sudo apt-get install tensorrt` (JetPack puts it into /usr/src/tensorrt/bin)"
        )
    return Trtexec(connection, program)


def read_scores(
    values: NDArray[np.float64], wanted: NDArray[np.float64], exponents: Sequence[int]
) -> NDArray[np.int32]:
    """Scores int32 [n, classes] of ``values`` written with six digits or more; ``wanted`` are the reference's values.

    Where a value is what the reference's is rounded to, the score is the reference's. ``exponents`` are those of each
    score = value * 2**exponent; what is not near a whole number is ``NO_INTEGER``.
    """
    rounded = np.array([[float(f"{value:.6g}") for value in row] for row in wanted]).reshape(wanted.shape)
    scaled = np.ldexp(np.where(values == rounded, wanted, values), np.array(exponents, np.int64))
    whole = np.rint(scaled)
    # Six digits leave half a unit of the last one open.
    good = (np.abs(scaled - whole) <= 5.01e-6 * np.abs(scaled)) & (np.abs(whole) < 2.0**31)
    return np.where(good, whole, NO_INTEGER).astype(np.int32)


def _feed_name(index: int) -> str:
    return f"image{index}.bin"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
