"""The tables of a report on the search and the network: candidates, blocks, qualities, layers, operations, costs."""

from __future__ import annotations

from collections.abc import Iterable

from toolchain.measures import MEASURES, Measure
from toolchain.reporting.document import Figure, Report
from toolchain.reporting.tables import Table, amount

NOTHING = "-"
"""What is not known."""

AXES = (
    ("flash_bytes", "flash", "bytes"),
    ("sram_bytes", "SRAM", "bytes"),
    ("artifact_bytes", "artifact", "bytes"),
    ("latency_ms", "latency", "ms"),
    ("operations", "operations", "operations"),
)
"""What accuracy is weighed against: field of a ``Candidate``, its word, its unit. Boards do not know all of them."""


def candidates_table(report: Report) -> Table:
    """Every network that the search trained."""
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


def blocks_table(report: Report) -> Table:
    """The path from pixels to scores."""
    rows = tuple(
        (block.title, block.detail, block.cell or NOTHING)
        for block in (report.architecture.blocks if report.architecture else ())
    )
    return Table("Blocks", ("block", "what it does", "cell"), rows)


def quality_table(report: Report) -> Table:
    """Accuracy or R2 at every stage."""
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


def layers_table(report: Report) -> Table:
    """What each node has, takes and does."""
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


def operations_table(report: Report) -> Table:
    """Totals of an image."""
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


def figures_table(title: str, figures: Iterable[Figure]) -> Table:
    """Figures of one kind, each with its source."""
    rows = tuple((each.name, figure_text(each), each.evidence, each.source) for each in figures)
    return Table(title, ("figure", "value>", "evidence", "source"), rows)


def measure_of(report: Report) -> Measure:
    """How the run's qualities are written."""
    return MEASURES[report.task or "classification"]


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
