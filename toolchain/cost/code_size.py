"""Stub until measured."""

from __future__ import annotations

from toolchain.graph.graph import Graph


def code_bytes(graph: Graph, core: str) -> int:
    return 8192
