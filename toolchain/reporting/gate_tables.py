"""The tables of the CI gate: every limit with what has changed since the base, and the sections of firmware."""

from __future__ import annotations

from toolchain.reporting.tables import Table, budget_table
from toolchain.verification.base_report import Growth
from toolchain.verification.check import Checked
from toolchain.verification.gate import Gate
from toolchain.verification.image_map import UNNAMED


def gate_tables(gate: Gate) -> list[Table]:
    """The budget of all that was checked, then the memory of every firmware image of others."""
    changes = None
    if gate.base is not None:
        changes = [_change(grown) for result in gate.results for grown in result.growths]
    tables = [budget_table(gate.lines, changes)]
    for result in gate.results:
        if any(row.section != UNNAMED for row in result.checked.memory):
            tables.append(memory_table(result.entry.name, result.checked))
    return tables


def memory_table(name: str, checked: Checked) -> Table:
    """Every section of an image by memory, with what is the network's; below them the memory's sum and free space."""
    rows: list[tuple[str, ...]] = []
    free = {line.resource: line.headroom for line in checked.lines}
    for region in dict.fromkeys(row.region for row in checked.memory):
        members = [row for row in checked.memory if row.region == region]
        called = region or "elsewhere"
        rows += [
            (
                called,
                row.section,
                f"0x{row.address:08x}",
                f"{row.size_bytes:,}",
                f"{row.network_bytes:,}",
                "",
            )
            for row in members
        ]
        used = next((line.used for line in checked.lines if line.resource == called), 0)
        network = next((line.used for line in checked.lines if line.resource == f"{called}, network"), 0)
        left = free.get(called)
        rows.append((called, "in all", "", f"{used:,}", f"{network:,}", "" if left is None else f"{left:,}"))
    columns = ("memory", "section", "address>", "bytes>", "the network's>", "free>")
    return Table(f"Memory of {name}", columns, tuple(rows))


def _change(grown: Growth) -> str:
    if grown.change is None:
        return "new"
    if grown.change == 0:
        return "0"
    return f"{grown.change:+,}" + (f" ({grown.share})" if grown.share else "")
