"""The tables of an inspected file; they only read their arguments."""

from __future__ import annotations

import json
from typing import Any

from toolchain.inspecting.structure import Structure
from toolchain.reporting.tables import Table

MOST_ROWS = 20
"""Tensors and symbols that are shown of each file, unless all are asked for."""

_LONGEST = 100
"""Characters of a fact that are shown; JSON has all of it."""


def structure_tables(found: Structure, everything: bool = False) -> list[Table]:
    """Ends, operators, neurons, tensors, memory, bytes by kind and facts of one file, each where there are any."""
    most = None if everything else MOST_ROWS
    return [
        table
        for table in (
            _ends(found),
            Table(
                "Operators", ("operator", "count>"), tuple((n, f"{c:,}") for n, c in found.operators.items())
            ),
            _neurons(found),
            _tensors(found, most),
            _sections(found),
            _symbols(found, most),
            _loaded(found, most),
            _kinds(found),
            Table(
                "Facts", ("fact", "value"), tuple((name, _fact(value)) for name, value in found.facts.items())
            ),
        )
        if table.rows
    ]


def _ends(found: Structure) -> Table:
    rows = [
        (role, value.name, value.dtype, _shape(value.shape))
        for role, values in (("input", found.inputs), ("output", found.outputs), ("state", found.states))
        for value in values
    ]
    return Table("Inputs, outputs and states", ("role", "name", "type", "shape"), tuple(rows))


def _neurons(found: Structure) -> Table:
    rows = [
        (each.node, each.leak, each.reset, _range(each.exponents), _range(each.thresholds))
        for each in found.neurons
    ]
    return Table("Neurons", ("node", "leak", "reset", "exponents>", "thresholds>"), tuple(rows))


def _tensors(found: Structure, most: int | None) -> Table:
    rows = [
        (each.name, each.dtype, _shape(each.shape), f"{each.size_bytes:,}", each.kind)
        for each in found.tensors[:most]
    ]
    title = _title("Tensors", len(rows), len(found.tensors))
    return Table(title, ("tensor", "type", "shape", "bytes>", "kind"), tuple(rows))


def _sections(found: Structure) -> Table:
    rows = [(name, f"{flash:,}", f"{sram:,}") for name, (flash, sram) in found.sections.items()]
    if rows:
        totals = [sum(sizes) for sizes in zip(*found.sections.values(), strict=True)]
        rows.append(("in all", *(f"{total:,}" for total in totals)))  # type: ignore[arg-type]
    return Table("Sections", ("section", "flash bytes>", "SRAM bytes>"), tuple(rows))


def _symbols(found: Structure, most: int | None) -> Table:
    rows = [
        (s.name, s.section, f"0x{s.address:08x}", f"{s.flash_bytes:,}", f"{s.sram_bytes:,}", s.kind)
        for s in found.symbols[:most]
    ]
    title = _title("Symbols", len(rows), len(found.symbols))
    columns = ("symbol", "section", "address>", "flash bytes>", "SRAM bytes>", "kind")
    return Table(title, columns, tuple(rows))


def _loaded(found: Structure, most: int | None) -> Table:
    shown = sorted(found.loaded, key=lambda each: -each.size_bytes)[:most]
    rows = [
        (f"0x{each.address:08x}", f"0x{each.address + each.size_bytes:08x}", f"{each.size_bytes:,}")
        for each in sorted(shown, key=lambda each: each.address)
    ]
    return Table(_title("Loaded", len(rows), len(found.loaded)), ("from", "up to", "bytes>"), tuple(rows))


def _kinds(found: Structure) -> Table:
    rows = [
        (kind, f"{count:,}", f"{count / found.size_bytes:.1%}")
        for kind, count in sorted(found.by_kind.items(), key=lambda item: -item[1])
    ]
    return Table(f"{found.size_bytes:,} bytes by kind", ("kind", "bytes>", "share>"), tuple(rows))


def _title(name: str, shown: int, there_are: int) -> str:
    return name if shown == there_are else f"{name}: the {shown} largest of {there_are:,} (--all shows all)"


def _shape(shape: tuple[int | str, ...]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _range(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,}" if pair[0] == pair[1] else f"{pair[0]:,} to {pair[1]:,}"


def _fact(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
