"""``architecture.json``: an architecture of any space as a file, one field for each decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolchain.architecture import snasnet
from toolchain.architecture.architecture import SPACE, Architecture, Block, Shrink
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.text import AnyArchitecture
from toolchain.errors import InputError
from toolchain.files import read_json, write_json
from toolchain.graph.nodes import Leak

FORMAT = "spikenas-architecture/1"


def to_dict(architecture: AnyArchitecture) -> dict[str, Any]:
    """The architecture as plain JSON data."""
    if isinstance(architecture, SnasnetArchitecture):
        return {
            "format": FORMAT,
            "space": snasnet.SPACE,
            "time_steps": architecture.time_steps,
            "stem": {"channels": architecture.channels, "stride": architecture.stem_stride},
            "cells": [str(cell) for cell in architecture.cells],
            "pool": architecture.pool,
            "width": architecture.width,
            "voters": architecture.voters,
        }
    stored = {} if architecture.bits == 8 else {"bits": architecture.bits}
    return {
        "format": FORMAT,
        "space": SPACE,
        "time_steps": architecture.time_steps,
        "leak": {"form": architecture.leak.form, "shift": architecture.leak.shift},
        "reset": architecture.reset,
        "stem": {"channels": architecture.stem_channels, "stride": architecture.stem_stride},
        "blocks": [_describe(block) for block in architecture.blocks],
        "head": architecture.head,
        **stored,
    }


def from_dict(document: Any, origin: str) -> AnyArchitecture:
    """Read what ``to_dict`` wrote; raises ``InputError`` that begins with ``origin`` if anything is wrong."""
    if isinstance(document, dict) and document.get("space") == snasnet.SPACE:
        try:
            return _snasnet(document)
        except InputError as error:
            raise InputError(f"{origin}: {error}") from error
    fields = ("format", "space", "time_steps", "leak", "reset", "stem", "blocks", "head")
    # Weights of 8 bits go without saying.
    given = {"bits": 8} | document if isinstance(document, dict) else document
    form, space, time_steps, leak, reset, stem, blocks, head, bits = _fields(given, (*fields, "bits"), origin)
    if form != FORMAT or space != SPACE:
        raise InputError(
            f"{origin} has the format {form!r:.40} and the space {space!r:.40};"
            f" this version reads {FORMAT!r} and {SPACE!r} or {snasnet.SPACE!r}"
        )
    if not isinstance(blocks, list):
        raise InputError(f"{origin}: blocks must be a list, not {type(blocks).__name__}")
    try:
        leak_form, shift = _fields(leak, ("form", "shift"), "leak")
        channels, stride = _fields(stem, ("channels", "stride"), "stem")
        built = tuple(_build(block) for block in blocks)
        return Architecture(time_steps, Leak(leak_form, shift), reset, channels, stride, built, head, bits)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from error


def save_architecture(architecture: AnyArchitecture, path: Path) -> None:
    """Write ``path`` atomically."""
    write_json(path, to_dict(architecture))


def load_architecture(path: Path) -> AnyArchitecture:
    """Read ``path``; raises ``InputError`` if it is missing or not an architecture of a known space."""
    return from_dict(read_json(path), str(path))


def _snasnet(document: dict[str, Any]) -> SnasnetArchitecture:
    names = ("format", "space", "time_steps", "stem", "cells", "pool", "width", "voters")
    form, _, time_steps, stem, cells, pool, width, voters = _fields(document, names, "a snasnet architecture")
    if form != FORMAT:
        raise InputError(f"the format is {form!r:.40}; this version reads {FORMAT!r}")
    if not isinstance(cells, list) or len(cells) != 2 or not all(isinstance(cell, str) for cell in cells):
        raise InputError(f"cells are two texts of six digits, not {cells!r:.60}")
    channels, stride = _fields(stem, ("channels", "stride"), "stem")
    first, second = map(Cell.parse, cells)
    return SnasnetArchitecture(channels, (first, second), time_steps, stride, pool, width, voters)


def _describe(block: Block) -> dict[str, Any]:
    if isinstance(block, Shrink):
        return {"shrink": block.form, "channels": block.channels}
    return {"cell": str(block)}


def _build(item: Any) -> Block:
    if isinstance(item, dict) and "cell" in item:
        (cell,) = _fields(item, ("cell",), "a cell")
        if not isinstance(cell, str):
            raise InputError(f"a cell is a text of six digits, not {cell!r:.40}")
        return Cell.parse(cell)
    return Shrink(*_fields(item, ("shrink", "channels"), "a block"))


def _fields(item: Any, names: tuple[str, ...], what: str) -> list[Any]:
    if not isinstance(item, dict) or set(item) != set(names):
        found = ", ".join(map(str, item)) if isinstance(item, dict) else type(item).__name__
        raise InputError(f"{what} must have exactly the fields {', '.join(names)}; it has {found:.80}")
    return [item[name] for name in names]
