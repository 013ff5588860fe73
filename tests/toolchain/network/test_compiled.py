"""Compiling loops, with and without a place to keep the machine code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from toolchain.network import compiled


def test_loops_are_compiled_where_machine_code_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_a_cache(*, cache: bool = False, **options: object) -> Callable[[object], object]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: ("compiled", function, options)

    monkeypatch.setattr(compiled, "njit", without_a_cache)
    options = {"nogil": True, "error_model": "numpy", "fastmath": True}
    assert compiled.compiled(fastmath=True)(abs) == ("compiled", abs, options)
