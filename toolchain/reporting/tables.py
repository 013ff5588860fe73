"""The tables of a verdict: the same rows whether they end up on a terminal or in Markdown.

They only read their arguments, and import nothing heavy, because ``check`` prints with them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from toolchain.measures import MEASURES
from toolchain.verification.budget_lines import BudgetLine, Unit

if TYPE_CHECKING:
    from toolchain.reporting.document import Compared, OnBoard
    from toolchain.verification.activity import Activity
    from toolchain.verification.comparison import Comparison
    from toolchain.verification.linux_cost import LinuxCost
    from toolchain.verification.verdict import BoardReport, ConsoleRun, FirmwareReport, Verdict


@dataclass(frozen=True)
class Table:
    """Rows of cells under ``columns``; a column whose name ends in ``>`` is set flush right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def verdict_tables(verdict: Verdict) -> list[Table]:
    """Operations, integers compared, predicted against used of each firmware image, and the budget."""
    return [
        operations_table(verdict.operations),
        comparison_table(verdict.comparisons),
        *_where_rows(outputs_table(verdict.comparisons), spikes_table(verdict.comparisons)),
        *_where_rows(numbers_table(verdict.comparisons)),
        *(proof_table(report) for report in verdict.firmware),
        *_where_rows(
            cost_table(verdict.costs), boards_table(verdict.boards), console_table(verdict.consoles)
        ),
        budget_table(verdict.budget),
    ]


def _where_rows(*tables: Table) -> list[Table]:
    return [table for table in tables if table.rows]


def budget_table(lines: Iterable[BudgetLine], changes: Sequence[str] | None = None) -> Table:
    """Used, available and headroom of every limit, with the evidence of what is used.

    ``changes``: what each line's use has changed by, for one more column.
    """
    rows = [
        (
            line.artifact,
            line.resource,
            amount(line.used, line.unit),
            *(changes[index : index + 1] if changes is not None else ()),
            amount(line.available, line.unit),
            amount(line.headroom, line.unit) if line.available is not None else "",
            f"{line.evidence} {line.note}".strip(),
        )
        for index, line in enumerate(lines)
    ]
    change = ("change>",) if changes is not None else ()
    columns = ("artifact", "resource", "used>", *change, "available>", "headroom>", "evidence")
    return Table("Budget", columns, tuple(rows))


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    """Integers that differ from the reference's, and of classes the accuracy, of every artifact in every runtime."""
    found = list(comparisons)
    classes = any(row.agreeing is not None for row in found)
    rows = [
        (
            row.artifact,
            row.runtime,
            f"{row.images:,}",
            f"{row.differing:,} of {row.integers:,}",
            *(_classes(row) if classes else ()),
            row.evidence,
        )
        for row in found
    ]
    columns = (
        "artifact",
        "runtime",
        "images>",
        "integers differing>",
        *(("classes agreeing>", "accuracy>", "reference>") if classes else ()),
        "evidence",
    )
    return Table("Integers against the reference", columns, tuple(rows))


def _classes(row: Comparison) -> tuple[str, ...]:
    if row.agreeing is None or row.accuracy is None or row.reference_accuracy is None:
        return "", "", ""
    return f"{row.agreeing:,} of {row.images:,}", f"{row.accuracy:.2%}", f"{row.reference_accuracy:.2%}"


def outputs_table(comparisons: Iterable[Comparison]) -> Table:
    """Of what differs: in how many images each output does, and by how much at most; no rows where nothing does."""
    rows = [
        (row.artifact, row.runtime, each.label, f"{each.images:,} of {row.images:,}", f"{each.largest:,}")
        for row in comparisons
        for each in row.by_output
    ]
    columns = ("artifact", "runtime", "output", "images differing>", "largest difference>")
    return Table("Differences by output", columns, tuple(rows))


def spikes_table(comparisons: Iterable[Comparison] | Iterable[Compared]) -> Table:
    """Where spikes first differ, in the first image whose scores do; of a verdict or of a report."""
    rows = []
    for row in comparisons:
        found = row.spikes
        if found is None:
            continue
        place = (found.time_step, found.channel, found.row, found.column)
        cells = ("" if number is None else str(number) for number in place)
        spike = "all spikes agree" if found.time_step is None else f"{found.got} instead of {found.expected}"
        rows.append((row.artifact, row.runtime, str(found.image), found.node, *cells, spike))
    columns = ("artifact", "runtime", "image>", "node", "time step>", "channel>", "row>", "column>", "spike")
    return Table("Where spikes first differ", columns, tuple(rows))


def cost_table(costs: Iterable[LinuxCost]) -> Table:
    """Memory and latency of each artifact in each runtime, on this machine."""
    rows = [
        (
            cost.artifact,
            cost.runtime,
            "" if cost.resident_bytes is None else f"{cost.resident_bytes / 1024:,.0f} KiB",
            f"{cost.latency_us / 1000:,.3f} ms",
            f"{cost.latency_p95_us / 1000:,.3f} ms",
            f"{cost.evidence} {cost.where}",
        )
        for cost in costs
    ]
    columns = (
        "artifact",
        "runtime",
        "peak memory above the runtime>",
        "median>",
        "95th percentile>",
        "evidence",
    )
    return Table("Memory and latency of one image", columns, tuple(rows))


def console_table(runs: Iterable[ConsoleRun]) -> Table:
    """Each real board: its known-answer test, and cycles and time of an image where it counts."""
    rows = [
        (
            run.description,
            "passed" if run.known_answer else "FAILED",
            f"{run.images:,}",
            "" if run.cycles is None else f"{run.cycles:,}",
            "" if run.latency_us is None else f"{run.latency_us / 1000:,.3f} ms",
            "" if run.latency_most_us is None else f"{run.latency_most_us / 1000:,.3f} ms",
            run.evidence,
        )
        for run in runs
    ]
    columns = ("board", "known answer", "images>", "cycles, median>", "median>", "slowest>", "evidence")
    return Table("On the board", columns, tuple(rows))


def numbers_table(comparisons: Iterable[Comparison]) -> Table:
    """R2 and mean absolute error of every number of a regression, in its own unit; no rows for classes."""
    measure = MEASURES["regression"]
    rows = [
        (
            row.artifact,
            row.runtime,
            number.label,
            measure.text(number.r2),
            measure.text(number.reference_r2),
            f"{number.mean_absolute_error:.4g}",
            row.evidence,
        )
        for row in comparisons
        for number in row.numbers
    ]
    columns = ("artifact", "runtime", "number", "R2>", "reference>", "mean absolute error>", "evidence")
    return Table("Numbers against the targets, in their own units", columns, tuple(rows))


def operations_table(activity: Activity) -> Table:
    """Trained values, what an image costs in operations, and how often the neurons of each node fire."""
    counts = (
        ("parameters", activity.parameters),
        ("pixel MACs", activity.pixel_macs),
        ("read-out MACs", activity.head_macs),
        ("dense ACs", activity.dense_acs),
        ("effective ACs", activity.effective_acs),
        ("membrane updates", activity.membrane_updates),
    )
    rows = [(name, f"{value:,}", activity.evidence) for name, value in counts]
    rows += [
        (f"spike rate of {name}", f"{rate:.4f}", activity.evidence)
        for name, rate in activity.spike_rates.items()
    ]
    columns = ("operations", "average>", "evidence")
    return Table(f"Operations an image, over {activity.images:,} images", columns, tuple(rows))


def boards_table(boards: Iterable[BoardReport] | Iterable[OnBoard]) -> Table:
    """What each real board said of itself; of a verdict or of a report. No rows without a board."""
    rows = [
        (board.board, what, value, board.evidence)
        for board in boards
        for what, value in (
            ("system", " ".join(filter(None, (board.system, board.machine)))),
            ("temperature before", _degrees(board.temperature_before_c)),
            ("temperature after", _degrees(board.temperature_after_c)),
            ("clock, slowest core", _megahertz(board.clock_mhz)),
            ("highest clock", _megahertz(board.highest_clock_mhz)),
            ("held back by heat or supply", {None: "", True: "yes", False: "no"}[board.throttled]),
        )
        if value
    ]
    return Table("On the board", ("board", "what", "value>", "evidence"), tuple(rows))


def _degrees(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} °C"


def _megahertz(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} MHz"


def proof_table(report: FirmwareReport) -> Table:
    """Predicted against used of one firmware image; measured from the linked image, run for what only shows then."""
    rows = [
        (
            proof.name,
            f"{proof.predicted_bytes:,}",
            f"{proof.used_bytes:,}",
            _error(proof.predicted_bytes, proof.used_bytes),
            "to the byte" if proof.exact else "within 2 %",
            "measured" if proof.holds else "measured: NOT as predicted",
        )
        for proof in report.proofs
    ]
    reserved, stack = f"{report.stack_reserved_bytes:,}", f"{report.stack_used_bytes:,}"
    if report.stack_bound_bytes is not None:
        bound = f"{report.stack_bound_bytes:,}"
        rows.append(("stack, most by the code", reserved, bound, "", "at most", "computed"))
    rows.append(("stack, deepest use", reserved, stack, "", "at most", "emulated"))
    estimates = report.estimated_instructions or (0,) * len(report.instructions)
    rows += [
        (
            f"instructions of image {index}",
            f"{estimate:,}" if estimate else "",
            f"{count:,}",
            _error(estimate, count),
            "",
            "emulated",
        )
        for index, (count, estimate) in enumerate(zip(report.instructions, estimates, strict=True))
    ]
    columns = ("bytes", "predicted>", "used>", "error>", "required", "evidence")
    return Table(f"Predicted against used: {report.artifact} in {report.runtime}", columns, tuple(rows))


def amount(value: float | None, unit: Unit) -> str:
    """``value`` in ``unit`` as people write it: microseconds as ms, microjoules as mJ, bytes as KiB from ten on."""
    if value is None:
        return "no limit"
    if unit == "us":
        return f"{value / 1000:,.2f} ms"
    if unit == "uj":
        return f"{value / 1000:,.3f} mJ"
    if unit == "operations":
        return f"{value:,.0f}"
    return f"{value / 1024:,.1f} KiB" if abs(value) >= 10240 else f"{value:,} B"


def share(used: float, available: float | None) -> float:
    """How much of what is available is used, 0 where nothing limits it; of nothing, anything is infinitely much."""
    if available is None:
        return 0.0
    return used / available if available else inf if used else 0.0


def _error(predicted: int, used: int) -> str:
    return f"{(used - predicted) / predicted:+.2%}" if predicted else ""
