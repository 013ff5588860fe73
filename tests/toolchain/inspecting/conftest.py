"""Firmware to look into, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

import exporters.c
from exporters.c.build import build
from tests.support.graphs import random_graph
from toolchain.profiles import load

GRAPH, BOARD = random_graph(2), load("stm32f405")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware of ``GRAPH`` for ``BOARD``, in every file that an export writes."""
    pytest.importorskip("ziglang")
    made = tmp_path_factory.mktemp("firmware")
    exporters.c.export(GRAPH, BOARD, made)
    build(made / "c", BOARD, "zig")
    return made
