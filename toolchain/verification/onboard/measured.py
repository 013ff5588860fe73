"""What came back from a board: scores, time and memory of one artifact; checked before any of it is used."""

from __future__ import annotations

import base64
import binascii
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.npy import read_array
from toolchain.errors import InputError
from toolchain.verification.linux_probe import MARK

MOST_BYTES = 1 << 44
MOST_US = 1 << 40


@dataclass(frozen=True)
class Measured:
    """Scores int32 [n, classes] of the first images, microseconds an image, bytes above the bare runtime."""

    scores: NDArray[np.int32]
    latency_us: int
    latency_p95_us: int
    resident_bytes: int | None


def answer_bytes(images: int, classes: int) -> int:
    """Most that the probe prints about so many images: base64 of an .npy file in an object, and some noise."""
    return 4 * (images * classes * 4 + 256) // 3 + (1 << 16)


def told(output: bytes, who: str) -> dict[str, Any]:
    """The object that the probe printed, whatever else was printed; raises ``InputError`` if there is none."""
    lines = [line for line in output.split(b"\n") if line.startswith(MARK.encode())]
    try:
        found = json.loads(lines[-1][len(MARK) :]) if lines else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{who} gives no result that is read here; see that its login scripts print nothing")
    return found


def measured(found: dict[str, Any], images: int, who: str) -> Measured:
    """What the probe said of at most ``images`` images; raises ``InputError`` if it is not of that form."""
    try:
        content = base64.b64decode(found.get("scores", ""), validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise InputError(f"{who} gives no scores") from None
    scores = read_array(f"what {who} gives", len(content), lambda: io.BytesIO(content))
    if scores.dtype != np.int32 or scores.ndim != 2 or not 0 < len(scores) <= images:
        raise InputError(f"{who} gives {scores.dtype} {list(scores.shape)} and not scores of {images} images")
    resident = found.get("resident_bytes")
    return Measured(
        scores,
        _whole(found, "latency_us", MOST_US, who),
        _whole(found, "latency_p95_us", MOST_US, who),
        None if resident is None else _whole(found, "resident_bytes", MOST_BYTES, who),
    )


def _whole(found: dict[str, Any], key: str, most: int, who: str) -> int:
    value = found.get(key)
    if type(value) is not int or not 0 <= value <= most:
        raise InputError(f"{who} gives {key} {value!r:.40}, which is no such number")
    return value
