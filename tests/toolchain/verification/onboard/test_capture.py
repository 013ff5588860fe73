"""Programs that fail, hang, flood, or leave something behind that holds their output open."""

from __future__ import annotations

import time

import pytest

from toolchain.errors import InputError
from toolchain.verification.onboard.capture import capture


def sh(script: str, limit_s: float = 10, max_bytes: int = 1000):  # type: ignore[no-untyped-def]
    return capture(["/bin/sh", "-c", script], limit_s, max_bytes)


def test_code_output_and_errors_are_apart() -> None:
    found = sh("printf out; echo because >&2; exit 7")
    assert (found.code, found.output, found.errors, found.words) == (7, b"out", "because\n", "because")
    assert sh("echo only").words == "only" and sh("read line || echo nothing to read").code == 0


def test_limits() -> None:
    with pytest.raises(InputError, match="did not end within 0.3 s"):
        sh("sleep 30", limit_s=0.3)
    with pytest.raises(InputError, match="more than the 1,000 bytes"):
        sh("yes")
    assert len(sh("head -c 300000 /dev/zero >&2; echo end >&2").errors) <= 1 << 16
    with pytest.raises(InputError, match="cannot be run: No such file"):
        capture(["/not/there"], 1, 1)


def test_a_child_that_stays_is_not_waited_for() -> None:
    began = time.monotonic()
    assert sh("sleep 20 & echo done").output == b"done\n"
    assert time.monotonic() - began < 10
