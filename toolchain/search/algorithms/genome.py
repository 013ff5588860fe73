"""A network as genes that are drawn, crossed and changed one by one: sizes, and six operations a position.

Every genome has genes for as many positions as a network can have; those beyond its number of cells sleep.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import EDGES, OUTPUT, Cell
from toolchain.search.space import (
    CELLS,
    CHANNELS,
    GROWTHS,
    HEADS,
    LEADS,
    SHRINKS,
    STEM_STRIDES,
    TIME_STEPS,
    Sizes,
)

Genome = Mapping[str, Any]

_SIZES: dict[str, tuple[Any, ...]] = {
    "time_steps": TIME_STEPS,
    "stem_channels": CHANNELS,
    "stem_stride": STEM_STRIDES,
    "lead": LEADS,
    "cells": CELLS,
    "growth": GROWTHS,
    "shrink": SHRINKS,
    "head": HEADS,
    "bits": (8,),
}


def genes(
    operations: str, time_steps: tuple[int, ...] = TIME_STEPS, widths: tuple[int, ...] = (8,)
) -> dict[str, tuple[Any, ...]]:
    """What each gene can be, by name, where cells have only these ``operations`` (digits) and weights these bits."""
    every = _SIZES | {"time_steps": time_steps, "bits": widths}
    for position in range(max(CELLS)):
        for edge in EDGES:
            # A cell without an operation from its input straight to its output is not in the space.
            permitted = operations.replace("0", "") if edge == (0, OUTPUT) else operations
            every[_name(position, edge)] = tuple(permitted)
    return every


def express(genome: Genome, grid: Collection[Sizes]) -> Architecture | None:
    """The network that ``genome`` stands for, or None if its sizes are not in ``grid``.

    Dead branches of cells are pruned, and genes that mean nothing where nothing shrinks are passed over: many
    genomes give the same network.
    """
    chosen = {name: genome[name] for name in _SIZES}
    if chosen["lead"] + chosen["cells"] == 1:
        chosen |= {"growth": GROWTHS[0], "shrink": SHRINKS[0]}
    sizes = Sizes(**chosen)
    return sizes.architecture(*(_cell(genome, i) for i in range(sizes.cells))) if sizes in grid else None


def genome_of(sizes: Sizes, cell: Cell) -> dict[str, Any]:
    """The genome of ``sizes`` with ``cell`` at every position."""
    found = {name: getattr(sizes, name) for name in _SIZES}
    for position in range(max(CELLS)):
        for edge, operation in zip(EDGES, cell.operations, strict=True):
            found[_name(position, edge)] = str(int(operation))
    return found


def _cell(genome: Genome, position: int) -> Cell:
    return Cell.parse("".join(genome[_name(position, edge)] for edge in EDGES)).representative


def _name(position: int, edge: tuple[int, int]) -> str:
    return f"cell{position + 1} {edge[0]}-{edge[1]}"
