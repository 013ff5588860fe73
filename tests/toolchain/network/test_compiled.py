"""Compiling loops, with and without a place to keep the machine code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.kills import ROOT
from toolchain.network import compiled


def test_loops_are_compiled_where_machine_code_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_a_cache(*, cache: bool = False, **options: object) -> Callable[[object], object]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: ("compiled", function, options)

    monkeypatch.setattr(compiled, "njit", without_a_cache)
    options = {"nogil": True, "error_model": "numpy", "fastmath": True}
    assert compiled.compiled(fastmath=True)(abs) == ("compiled", abs, options)


MOMENTS = """
import torch
from toolchain.network.neuron_compiled import Compiled
maps = torch.randn(3, 20, 8, 8, 64, generator=torch.Generator().manual_seed(0)).bfloat16().movedim(-1, 2)
for found in Compiled().moments(maps):
    print(found.numpy().tobytes().hex())
"""


def test_code_that_was_kept_rounds_as_code_that_has_just_been_compiled(tmp_path: Path) -> None:
    def figures() -> str:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-c", MOMENTS], env=environment, capture_output=True, text=True, check=True
        ).stdout

    compiled_now = figures()
    assert list(tmp_path.rglob("*.nbc"))
    assert figures() == compiled_now
