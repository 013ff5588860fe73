"""The tables of a report: the same rows on the page and in Markdown; no figure is computed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from toolchain.measures import MEASURES, Measure
from toolchain.reporting.document import Figure, Report
from toolchain.reporting.tables import Table, amount, spikes_table

NOTHING = "-"

AXES = (
    ("flash_bytes", "flash", "bytes"),
    ("sram_bytes", "SRAM", "bytes"),
    ("artifact_bytes", "artifact", "bytes"),
    ("latency_ms", "latency", "ms"),
    ("operations", "operations", "operations"),
)
"""What accuracy is weighed against: field of a ``Candidate``, its word, its unit. Boards do not know all of them."""

MOST_PAIRS = 20
"""Pairs of classes that are taken for each other, at most."""


def tables(report: Report) -> dict[str, Table]:
    """Every table, by the name of its place on the page; those without rows are left out."""
    makers: dict[str, Callable[[Report], Table]] = {
        "missing": _missing,
        "budget": _budget,
        "compared": _compared,
        "spikes": lambda r: spikes_table(r.verdict.compared if r.verdict else ()),
        "proofs": _proofs,
        "memory": _memory,
        "candidates": _candidates,
        "blocks": _blocks,
        "quality": _quality,
        "layers": _layers,
        "operations": _operations,
        "latency": lambda r: _figures("Latency of an image", r.latency),
        "energy": lambda r: _figures("Energy of an image", r.energy),
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
    if report.verdict:
        found += [failure.message for failure in report.verdict.failures] + report.verdict.notes
    return found


def measure_of(report: Report) -> Measure:
    """How the run's qualities are written."""
    return MEASURES[report.task or "classification"]


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


def _candidates(report: Report) -> Table:
    found = report.search.candidates if report.search else []
    measure = measure_of(report)
    axes = [axis for axis in AXES if any(getattr(each, axis[0]) is not None for each in found)]
    rows = tuple(
        (
            each.id,
            "chosen" if each.chosen else "front" if each.front else "",
            measure.text(each.quality) + (f" ± {measure.spread(each.deviation)}" if each.deviation else ""),
            *(axis_text(getattr(each, name), unit) for name, _, unit in axes),
            f"{each.trainings} x {each.steps:,}",
            ", ".join(each.roles),
            each.architecture,
        )
        for each in found
    )
    columns = (
        "id",
        "",
        f"{measure.title}>",
        *(f"{word}>" for _, word, _ in axes),
        "steps>",
        "taken in as",
        "network",
    )
    return Table("Candidates that were trained", columns, rows)


def _blocks(report: Report) -> Table:
    rows = tuple(
        (block.title, block.detail, block.cell or NOTHING)
        for block in (report.architecture.blocks if report.architecture else ())
    )
    return Table("Blocks", ("block", "what it does", "cell"), rows)


def _quality(report: Report) -> Table:
    measure = measure_of(report)
    rows = tuple(
        (
            stage.stage,
            stage.part,
            measure.text(stage.value),
            NOTHING if stage.images is None else f"{stage.images:,}",
            stage.evidence,
        )
        for stage in (report.quality.stages if report.quality else ())
    )
    return Table(
        f"{measure.title.capitalize()} by stage",
        ("stage", "on", f"{measure.title}>", "images>", "evidence"),
        rows,
    )


def _layers(report: Report) -> Table:
    rows = tuple(
        (
            layer.name,
            layer.kind,
            "x".join(map(str, layer.shape)),
            count_text(layer.parameters),
            NOTHING if layer.bits is None else str(layer.bits),
            count_text(layer.macs),
            count_text(layer.dense_acs),
            count_text(layer.effective_acs),
            NOTHING if layer.spike_rate is None else f"{layer.spike_rate:.4f}",
            NOTHING if layer.small_thresholds is None else str(layer.small_thresholds),
        )
        for layer in report.layers
    )
    columns = (
        "layer",
        "kind",
        "shape>",
        "parameters>",
        "bits>",
        "MACs>",
        "dense ACs>",
        "effective ACs>",
        "spike rate>",
        "thresholds under 64>",
    )
    return Table("Layers", columns, rows)


def _operations(report: Report) -> Table:
    found = report.operations
    if found is None:
        return Table("Operations", (), ())
    fired = f"spikes of {found.spiking_images} test images" if found.spiking_images else ""
    rows = (
        ("parameters", count_text(found.parameters), "measured", "counted"),
        ("pixel MACs", count_text(found.pixel_macs), "measured", "counted from shapes"),
        ("read-out MACs", count_text(found.head_macs), "measured", "counted from shapes"),
        ("dense ACs", count_text(found.dense_acs), "measured", "counted from shapes"),
        ("effective ACs", count_text(found.effective_acs), "measured", fired),
        ("membrane updates", count_text(found.membrane_updates), "measured", "counted from shapes"),
    )
    known = tuple(row for row in rows if row[1] != NOTHING)
    return Table("Operations of an image", ("operations", "count>", "evidence", "how"), known)


def _figures(title: str, figures: Iterable[Figure]) -> Table:
    rows = tuple((each.name, figure_text(each), each.evidence, each.source) for each in figures)
    return Table(title, ("figure", "value>", "evidence", "source"), rows)


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


def axis_text(value: float | None, unit: str) -> str:
    """A candidate's value on an axis of ``AXES``."""
    if value is None:
        return NOTHING
    if unit == "ms":
        return f"{value:,.2f} ms"
    return amount(int(value), "bytes" if unit == "bytes" else "operations")


def figure_text(figure: Figure) -> str:
    """A figure with its unit; counts are whole."""
    number = f"{figure.value:,.0f}" if figure.unit == "instructions" else f"{figure.value:,.3g}"
    return f"{number} {figure.unit}"


def count_text(value: int | None) -> str:
    """A whole number, or a dash where it is not known."""
    return NOTHING if value is None else f"{value:,}"
