"""What a hostile board may send in place of scores."""

from __future__ import annotations

import base64
import io
import json
import pickle
from typing import Any

import numpy as np
import pytest

from toolchain.errors import InputError
from toolchain.verification.linux_probe import MARK
from toolchain.verification.onboard.measured import answer_bytes, measured, told


def npy(array: Any, **more: Any) -> str:
    stream = io.BytesIO()
    np.save(stream, array, **more)
    return base64.b64encode(stream.getvalue()).decode()


def document(**changes: Any) -> dict[str, Any]:
    scores = npy(np.arange(30, dtype=np.int32).reshape(3, 10))
    return {"scores": scores, "latency_us": 5, "latency_p95_us": 9, "resident_bytes": None} | changes


def test_what_the_probe_says_is_read() -> None:
    found = measured(document(), 3, "it")
    assert found.scores.tolist() == np.arange(30).reshape(3, 10).tolist()
    assert (found.latency_us, found.latency_p95_us, found.resident_bytes) == (5, 9, None)
    line = f"noise\n{MARK}{json.dumps(document())}\nmore noise".encode()
    assert told(line, "it") == document() and len(line) < answer_bytes(3, 10)


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"noise",
        MARK.encode(),
        f"{MARK}[1]".encode(),
        f"{MARK}{'[' * 100_000}".encode(),
        b"\xff" + MARK.encode(),
    ],
)
def test_no_result(output: bytes) -> None:
    with pytest.raises(InputError, match="it gives no result"):
        told(output, "it")


class Evil:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": None},
        {"scores": "***"},
        {"scores": base64.b64encode(b"nonsense").decode()},
        {"scores": base64.b64encode(pickle.dumps(Evil())).decode()},
        {"scores": npy(np.array([[Evil()]], object), allow_pickle=True)},
        {"scores": npy(np.zeros((3, 10), np.int64))},
        {"scores": npy(np.zeros((4, 10), np.int32))},
        {"scores": npy(np.zeros((0, 10), np.int32))},
        {"scores": npy(np.zeros(30, np.int32))},
        {"scores": npy(np.zeros((3, 10), np.int32))[:-8]},
        {"latency_us": -1},
        {"latency_us": 1.5},
        {"latency_p95_us": "9"},
        {"latency_p95_us": True},
        {"resident_bytes": 1 << 60},
    ],
)
def test_what_is_not_of_that_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="it gives|holds Python objects|not a plain numpy|not as long"):
        measured(document(**changes), 3, "it")
