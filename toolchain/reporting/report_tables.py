"""The tables of a report: the same rows on the page and in Markdown; no figure is computed here."""

from __future__ import annotations

from collections.abc import Callable

from toolchain.measures import MEASURES
from toolchain.reporting.document import Report
from toolchain.reporting.network_tables import (
    NOTHING,
    blocks_table,
    candidates_table,
    figures_table,
    layers_table,
    measure_of,
    operations_table,
    quality_table,
)
from toolchain.reporting.tables import Table, amount, boards_table, spikes_table

MOST_PAIRS = 20
"""Pairs of classes that are taken for each other, at most."""


def tables(report: Report) -> dict[str, Table]:
    """Every table, by the name of its place on the page; those without rows are left out."""
    makers: dict[str, Callable[[Report], Table]] = {
        "missing": _missing,
        "budget": _budget,
        "compared": _compared,
        "boards": lambda r: boards_table(r.verdict.boards if r.verdict else ()),
        "spikes": lambda r: spikes_table(r.verdict.compared if r.verdict else ()),
        "proofs": _proofs,
        "memory": _memory,
        "candidates": candidates_table,
        "blocks": blocks_table,
        "quality": quality_table,
        "layers": layers_table,
        "operations": operations_table,
        "latency": lambda r: figures_table("Latency of an image", r.latency),
        "energy": lambda r: figures_table("Energy of an image", r.energy),
        "numbers": _numbers,
        "confused": _confused,
        "provenance": _provenance,
        "files": _files,
    }
    found = {name: make(report) for name, make in makers.items()}
    return {name: table for name, table in found.items() if table.rows}


STATES = {
    "searching": "search did not end",
    "searched": "searched, not trained",
    "trained": "trained, not exported",
    "exported": "exported, not verified",
    "verified": "verified: passed",
    "failed": "verified: FAILED",
}


def sentences(report: Report) -> list[str]:
    """What a report says in words: which board, how far the run got, why a verdict is not passed."""
    found = [f"{report.run}, for {report.board.name}: {STATES[report.state]}"]
    if report.demonstration:
        found.append("a demonstration on the built-in digits, not a network to deploy")
    if report.quality and report.quality.at_chance:
        found.append(measure_of(report).at_chance)
    if report.verdict:
        found += [failure.message for failure in report.verdict.failures] + report.verdict.notes
    return found


def _missing(report: Report) -> Table:
    rows = tuple((each.what, each.why, each.command or NOTHING) for each in report.missing)
    return Table("Not there yet", ("what", "why", "command"), rows)


def _budget(report: Report) -> Table:
    rows = tuple(
        (
            line.artifact,
            line.resource,
            amount(line.used, line.unit),
            amount(line.available, line.unit),
            NOTHING if line.headroom is None else amount(line.headroom, line.unit),
            line.evidence,
            line.note,
        )
        for line in report.budget
    )
    columns = ("artifact", "resource", "used>", "available>", "headroom>", "evidence", "note")
    return Table("Budget", columns, rows)


def _compared(report: Report) -> Table:
    rows = tuple(
        (row.artifact, row.runtime, f"{row.images:,}", f"{row.differing:,} of {row.integers:,}", row.evidence)
        for row in (report.verdict.compared if report.verdict else ())
    )
    columns = ("artifact", "runtime", "images>", "integers differing>", "evidence")
    return Table("Integers against the reference", columns, rows)


def _proofs(report: Report) -> Table:
    memory = report.memory
    rows = [
        (
            proof.artifact,
            proof.name,
            f"{proof.predicted_bytes:,}",
            f"{proof.used_bytes:,}",
            ("to the byte" if proof.exact else "within 2 %") if proof.holds else "NOT as predicted",
            "measured",
        )
        for proof in (memory.proofs if memory else ())
    ]
    if memory and memory.stack_used_bytes is not None and memory.stack_reserved_bytes is not None:
        used, reserved = f"{memory.stack_used_bytes:,}", f"{memory.stack_reserved_bytes:,}"
        rows.append((rows[0][0] if rows else "", "stack, deepest use", reserved, used, "at most", "emulated"))
    columns = ("artifact", "bytes", "predicted>", "used>", "agreement", "evidence")
    return Table("Predicted against used", columns, tuple(rows))


def _memory(report: Report) -> Table:
    rows = tuple(
        (
            region.name,
            segment.kind.replace("_", " "),
            f"{segment.size_bytes:,}",
            f"{segment.size_bytes / region.size_bytes:.1%}",
            segment.evidence or NOTHING,
            segment.note,
        )
        for region in (report.memory.regions if report.memory else ())
        for segment in region.segments
    )
    return Table("Memory", ("region", "content", "bytes>", "share>", "evidence", "what it is"), rows)


def _numbers(report: Report) -> Table:
    measure = MEASURES["regression"]
    rows = tuple(
        (number.label, measure.text(number.r2), f"{number.mean_absolute_error:.4g}", report.outputs.evidence)
        for number in (report.outputs.numbers if report.outputs else ())
        if report.outputs
    )
    return Table("Numbers against the targets", ("number", "R2>", "mean absolute error>", "evidence"), rows)


def _confused(report: Report) -> Table:
    found = report.outputs.confusion if report.outputs else None
    pairs = [
        (count, target, predicted)
        for target, row in enumerate(found.matrix if found else ())
        for predicted, count in enumerate(row)
        if count and target != predicted
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    rows = tuple(
        (
            found.labels[target],
            found.labels[predicted],
            f"{count:,}",
            f"{sum(found.matrix[target]):,}",
            "measured",
        )
        for count, target, predicted in pairs[:MOST_PAIRS]
        if found
    )
    return Table("Classes that are confused", ("class", "taken for", "images>", "of>", "evidence"), rows)


def _provenance(report: Report) -> Table:
    made = report.provenance
    rows = [
        ("report", f"{report.created}, spikenas-deploy {made.report_version}"),
        ("exported", made.exported or NOTHING),
        ("Python", made.python or NOTHING),
        *((f"package {name}", version) for name, version in made.packages.items()),
        ("seed of the search", str(made.search_seed)),
        ("seed of the training", str(made.training_seed)),
        ("sha256 of the data", made.data_sha256 or NOTHING),
        ("sha256 of the network", made.graph_sha256 or NOTHING),
        ("sha256 of the profile", made.profile_sha256),
        ("targets", ", ".join(made.targets) or NOTHING),
        ("board", f"{report.board.title}: {report.board.source}"),
    ]
    return Table("Provenance", ("what", "value"), tuple(row for row in rows if row[1] != NOTHING))


def _files(report: Report) -> Table:
    rows = tuple((file.name, f"{file.size_bytes:,}", file.sha256) for file in report.provenance.files)
    return Table("Exported files", ("file", "bytes>", "sha256"), rows)
