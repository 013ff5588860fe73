"""Bytes of the firmware's code, from a table of sizes that were measured for each core and pinned compiler.

Kernels are compiled apart from the network, and those that it does not use are not linked, so the code of
an image is a sum: what every image has, each further kernel, and the calls of the nodes. ``python -m
benchmarks.code_sizes`` measures the terms and writes ``code_sizes.toml`` beside this file. Another version
of a compiler makes other code; the predicted size is then an estimate.

With the version that was measured, an image is never larger than predicted, and up to 16 bytes smaller: 624 linked
images (six cores, both compilers, up to 150 nodes, images of 64 to 27,648 pixels, up to 257 classes). Where layers
have weights of several widths it may be 32 bytes smaller, because each kernel is counted filled up.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from toolchain.cost.amounts import Amount, rounded
from toolchain.cost.demand import Demand
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.packing import aligned
from toolchain.errors import InputError
from toolchain.files import read_toml
from toolchain.graph.graph import Graph
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule

Compiler = Literal["zig", "gcc"]

DEFAULT_COMPILER: Compiler = "zig"
"""The compiler that is assumed where none is named: it comes with pip."""

TABLE = Path(__file__).with_name("code_sizes.toml")


FUNCTION_BYTES = 8
"""The calls, whose number varies, are one function, which is filled up to 4 bytes, or to 8 for a Cortex-M7. The base
is measured with this filled up, so kernels are too, for their sum never to be too small."""

NUMBERS_BYTES = 4
"""Numbers that no instruction holds: images over some 4 KB, or more than 256 classes."""

COPYING_BYTES = 32
"""What the start-up code has more where it copies weights: written in assembly, so the same for all cores."""

STREAM_NUMBERS_BYTES = 36
"""The same for an image by steps, which also says where it keeps what, and for how long; and what filling up costs."""

CALLS, SPLIT_BYTES = 64, 4
"""Addresses lie among the calls, within their reach of 1 KiB: after fewer than 86 calls they are jumped over."""


class CodeSize(NamedTuple):
    """Terms of the code's size on one core, in bytes.

    ``base``: an image of a pixel layer and a head, with start-up code, main loop and self-test; ``frames``: what it
    has more, or less, if the pixels are frames; ``spike``: what all layers that see spikes share; ``spike_8``,
    ``spike_4``, ``spike_2`` and ``unweighted``: what those with weights of so many bits, and those without weights,
    take beside it; ``rows``: what all those with weights share; ``or_pool``; ``packed_head``: what a head with
    weights of fewer than 8 bits takes more, or less. Kernels are linked if a node needs them, and are multiples of
    ``FUNCTION_BYTES``. ``node``: the call of each node beyond those of ``base``.
    """

    base: int
    spike: int
    rows: int
    spike_8: int
    spike_4: int
    spike_2: int
    unweighted: int
    or_pool: int
    packed_head: int
    node: float
    frames: int


def code_bytes(
    graph: Graph, core: str, compiler: Compiler = DEFAULT_COMPILER, schedule: Schedule = "layers"
) -> int:
    """Bytes of code, vectors included, of the image of ``graph`` on ``core``, which runs by ``schedule``.

    Raises ``InputError`` if the core's code has never been measured.
    """
    return int(image_code_bytes(graph_demand(graph), core, compiler, schedule))


def image_code_bytes(
    demand: Demand, core: str, compiler: Compiler = DEFAULT_COMPILER, schedule: Schedule = "layers"
) -> Amount:
    """The same of a network's ``demand``, or of many at once."""
    size = code_size(core, compiler, schedule)
    weighted = demand.weighted_8 + demand.weighted_4 + demand.weighted_2
    kernels = (
        (demand.spike_nodes > 0) * size.spike
        + (weighted > 0) * size.rows
        + (demand.weighted_8 > 0) * size.spike_8
        + (demand.weighted_4 > 0) * size.spike_4
        + (demand.weighted_2 > 0) * size.spike_2
        + (demand.spike_nodes > weighted) * size.unweighted
        + (demand.or_pools > 0) * size.or_pool
        + (demand.packed_heads > 0) * size.packed_head
        + demand.frame_nodes * size.frames
    )
    more_nodes = demand.lif_nodes + demand.or_pools - 1
    calls = rounded(more_nodes * size.node) + more_nodes // CALLS * SPLIT_BYTES
    numbers = NUMBERS_BYTES if schedule == DEFAULT_SCHEDULE else STREAM_NUMBERS_BYTES
    return aligned(size.base + kernels + calls) + numbers


def code_size(core: str, compiler: Compiler = DEFAULT_COMPILER, schedule: Schedule = "layers") -> CodeSize:
    """The measured terms for ``core``; a core that no compiler here builds for has one estimate for all of them."""
    table = _table()
    terms = table[table_name(compiler, schedule)].get(core) or table["estimate"].get(core)
    if terms is None:
        raise InputError(
            f"the size of the code for {core} is not known; measure it with `python -m benchmarks.code_sizes`"
        )
    return CodeSize(**terms)


def table_name(compiler: Compiler, schedule: Schedule) -> str:
    """What the table's part of a compiler and a schedule is called."""
    return compiler if schedule == "layers" else f"{compiler}-{schedule}"


def measured_version(compiler: Compiler = DEFAULT_COMPILER) -> str:
    """The compiler's version that the table was measured with."""
    return str(_table()[compiler]["version"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return read_toml(TABLE)
