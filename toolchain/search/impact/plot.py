"""The analysis of operations as a picture: how good the best network of each set is, and what it takes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolchain.files import write_atomic
from toolchain.measures import MEASURES, Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Document = dict[str, Any]

MARKERS = "osD^vP*Xph"
"""One a set, in their order; hollow and of different sizes, because sets may share their best network."""

LARGEST, STEP = 15.0, 1.5
"""Size of the first set's marker, and by how much each one after it is smaller; points."""

NO_DATE = {"png": {"Software": None}, "svg": {"Date": None}}
"""The same analysis gives the same file."""


def plot(document: Document, path: Path) -> None:
    """Draw ``document`` (``toolchain.search.impact.document``) to ``path``, by whose ending it is an SVG or a PNG."""
    import matplotlib
    from matplotlib.figure import Figure  # not pyplot: no window, and nothing kept between two pictures

    networks = {each["id"]: each for each in document["networks"]}
    measure = MEASURES[document["task"]]
    size = "flash_bytes" if any("flash_bytes" in each for each in networks.values()) else "artifact_bytes"
    panels = (
        (size, 1024, f"{size.removesuffix('_bytes')}, KiB (estimated)"),
        ("effective_operations", 1e6, "effective synaptic operations, millions an image (measured)"),
    )
    form = path.suffix[1:]
    with matplotlib.rc_context({"svg.hashsalt": document["schema"], "font.size": 9}):
        figure = Figure(figsize=(12, 4.6), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, (name, unit, label) in zip(axes, panels, strict=True):
            _panel(axis, document, networks, name, unit, measure)
            axis.set_xlabel(label)
        share = "% of" if measure.percent else "on"
        axes[0].set_ylabel(f"{measure.title}, {share} {document['held_out_images']:,} held-out images")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
        axes[0].set_title(
            f"{document['profile']}, {document['data']['name']}: the best network of each set of operations,"
            f" mean and deviation of {len(document['seeds'])} trainings",
            loc="left",
        )
        stream = BytesIO()
        figure.savefig(stream, format=form, dpi=150, metadata=NO_DATE[form])
    write_atomic(path, stream.getvalue())


def _panel(
    axis: Axes,
    document: Document,
    networks: dict[str, Document],
    name: str,
    unit: float,
    measure: Measure,
) -> None:
    scale = 100 if measure.percent else 1
    others = [each for each in networks.values() if each["id"] not in {s["best"] for s in document["sets"]}]
    axis.scatter(
        [each[name] / unit for each in others],
        [scale * each[measure.name] for each in others],
        s=8,
        color="0.7",
        label="other networks",
    )
    for index, each in enumerate(document["sets"]):
        if each["best"] is None:
            continue
        best = networks[each["best"]]
        axis.errorbar(
            best[name] / unit,
            scale * best[measure.name],
            yerr=scale * (best["deviation"] or 0.0),
            fmt=MARKERS[index % len(MARKERS)],
            markersize=max(4.0, LARGEST - STEP * index),
            markerfacecolor="none",
            color=f"C{index % 10}",
            capsize=3,
            label=each["name"],
        )
    axis.grid(alpha=0.3)
