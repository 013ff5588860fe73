"""Bytes of the firmware's code, from a table of sizes that were measured for each core and pinned compiler.

Kernels are compiled apart from the network, and those that it does not use are not linked, so the code of
an image is a sum: what every image has, each further kernel, and the calls of the nodes. ``python -m
benchmarks.code_sizes`` measures the terms and writes ``code_sizes.toml`` beside this file. Another version
of a compiler makes other code; the predicted size is then an estimate.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from toolchain.cost.packing import aligned
from toolchain.errors import InputError
from toolchain.files import read_toml
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, OrPool, PixelConv

Compiler = Literal["zig", "gcc"]

DEFAULT_COMPILER: Compiler = "zig"
"""The compiler that is assumed where none is named: it comes with pip."""

TABLE = Path(__file__).with_name("code_sizes.toml")


class CodeSize(NamedTuple):
    """Terms of the code's size on one core, in bytes.

    ``base``: an image of a pixel layer and a head, with start-up code, main loop and self-test;
    ``spike`` and ``or_pool``: the kernels that are linked if a node needs them; ``node``: the call of each
    node beyond those two.
    """

    base: int
    spike: int
    or_pool: int
    node: float


def code_bytes(graph: Graph, core: str, compiler: Compiler = DEFAULT_COMPILER) -> int:
    """Bytes of code, vectors included, of the image of ``graph`` on ``core``.

    Raises ``InputError`` if the core's code has never been measured.
    """
    size = code_size(core, compiler)
    spiking = any(not isinstance(node.edges[0], PixelConv) for node in graph.all(Lif))
    pooling = any(True for _ in graph.all(OrPool))
    more_nodes = len(graph.nodes) - 3
    return aligned(size.base + spiking * size.spike + pooling * size.or_pool + round(more_nodes * size.node))


def code_size(core: str, compiler: Compiler = DEFAULT_COMPILER) -> CodeSize:
    """The measured terms for ``core``; a core that no compiler here builds for has one estimate for all of them."""
    table = _table()
    terms = table[compiler].get(core) or table["estimate"].get(core)
    if terms is None:
        raise InputError(
            f"the size of the code for {core} is not known; measure it with `python -m benchmarks.code_sizes`"
        )
    return CodeSize(**terms)


def measured_version(compiler: Compiler = DEFAULT_COMPILER) -> str:
    """The compiler's version that the table was measured with."""
    return str(_table()[compiler]["version"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return read_toml(TABLE)
