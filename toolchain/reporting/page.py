"""A report as one HTML page that loads nothing: style, script, drawings and pictures are inside.

A strict Content-Security-Policy lets exactly our style and our script run, by their hashes; everything that comes from
a run is escaped by the templates. The page is whole without its script.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.reporting.comparison_tables import side_by_side
from toolchain.reporting.document import Candidate, Comparison, Report
from toolchain.reporting.drawings import NODES, OPERATIONS, arrows, bar
from toolchain.reporting.network_tables import AXES, axis_text, measure_of
from toolchain.reporting.report_tables import STATES, tables
from toolchain.reporting.scatter import Scatter, scatter
from toolchain.reporting.tables import amount, share

GENERATOR = "spikenas-deploy report"
"""How a page says that it is one of ours, so that nothing else is overwritten by another."""

MARKED_WITHIN_BYTES = 1000

MOST_CLASSES = 40
"""Classes of a confusion matrix that is shown whole."""

_SECTIONS = (
    ("verdict", "Verdict"),
    ("memory", "Memory map"),
    ("quality", "Quality by stage"),
    ("search", "Search"),
    ("network", "Network"),
    ("costs", "Latency and energy"),
    ("outputs", "Test images"),
    ("provenance", "Provenance"),
)

_UNITS = {"bytes": (1024.0, "KiB"), "ms": (1.0, "ms"), "operations": (1000.0, "thousand an image")}
"""What one unit of an axis is, and its name."""


@dataclass(frozen=True)
class Mark:
    """How a candidate is shown among others: ``row`` is the id of its row, ``run`` its run's number, from 1, or 0."""

    label: str
    row: str
    chosen: bool
    front: bool
    run: int = 0


@dataclass(frozen=True)
class Plot:
    """Quality against one of ``AXES``."""

    word: str
    title: str
    x_title: str
    y_title: str
    drawn: Scatter
    marks: tuple[Mark, ...]


def page(report: Report) -> str:
    """The page of one run."""
    found = tables(report)
    shown = {
        "memory": report.memory,
        "quality": report.quality,
        "search": report.search,
        "network": report.architecture,
        "costs": report.latency or report.energy,
        "outputs": report.outputs,
    }
    candidates = report.search.candidates if report.search else []
    marks = [_mark(each, f"candidate-{index}", report) for index, each in enumerate(candidates)]
    return _render(
        "report.html.j2",
        report=report,
        tables=found,
        measure=measure_of(report),
        sections=[(name, title) for name, title in _SECTIONS if shown.get(name, True)],
        plots=_plots(candidates, marks, measure_of(report).title, measure_of(report).percent),
        number_plots=[scatter(number.points, alike=True) for number in report.outputs.numbers]
        if report.outputs
        else [],
    )


def comparison_page(comparison: Comparison) -> str:
    """The page of several runs; their searches share one plot if their qualities are the same kind."""
    runs = comparison.runs
    candidates: list[Candidate] = []
    marks: list[Mark] = []
    rows = []
    for number, run in enumerate(runs, 1):
        found = run.search.candidates if run.search else []
        candidates += found
        marks += [
            _mark(each, f"run-{number}-candidate-{index}", run, number) for index, each in enumerate(found)
        ]
        if found:
            rows.append((number, tables(run)["candidates"]))
    measures = {measure_of(run).title: measure_of(run).percent for run in runs}
    (title, percent), *others = measures.items()
    return _render(
        "comparison.html.j2",
        runs=runs,
        tables=side_by_side(comparison),
        candidates=rows,
        plots=[] if others else _plots(candidates, marks, title, percent),
    )


def require_replaceable(path: Path) -> None:
    """Raise ``InputError`` if a page must not be written to ``path``: only pages are overwritten."""
    # os.path, because a path that is longer than the system allows is simply not there; writing then tells.
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; name a file, such as {path / 'report.html'}")
    if os.path.lexists(path) and GENERATOR.encode() not in _beginning(path):
        raise InputError(f"{path} exists and is no report; name another file, or remove it first")


def write_page(path: Path, text: str) -> None:
    """Write a page, atomically; raises as ``require_replaceable``, or if the folder cannot be written."""
    require_replaceable(path)
    write_atomic(path, text)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MARKED_WITHIN_BYTES)
    except OSError:
        return b""


def _plots(candidates: Sequence[Candidate], marks: Sequence[Mark], quality: str, percent: bool) -> list[Plot]:
    found = []
    for name, word, unit in AXES:
        factor, unit_name = _UNITS[unit]
        known = [
            (getattr(each, name) / factor, each, mark)
            for each, mark in zip(candidates, marks, strict=True)
            if getattr(each, name) is not None
        ]
        if known:
            found.append(
                Plot(
                    word=word,
                    title=f"{quality} against {word}",
                    x_title=f"{word}, {unit_name}",
                    y_title=quality,
                    drawn=scatter(
                        [(x, each.quality) for x, each, _ in known],
                        on_front=[each.front for _, each, _ in known],
                        percent=percent,
                    ),
                    marks=tuple(mark for _, _, mark in known),
                )
            )
    return found


def _mark(each: Candidate, row: str, report: Report, run: int = 0) -> Mark:
    said = [f"{report.run}:"] if run else []
    said += [each.id, measure_of(report).sentence(each.quality)]
    said += [
        f"{word} {axis_text(value, unit)}"
        for name, word, unit in AXES
        if (value := getattr(each, name)) is not None
    ]
    said += ["chosen"] * each.chosen + ["on the front"] * each.front
    return Mark(", ".join(said), row, each.chosen, each.front, run)


def _heat(count: int, whole: int) -> int:
    """1 to 4: how much of its row a count is."""
    return min(4, 1 + 4 * count // max(1, whole))


def _render(name: str, **context: Any) -> str:
    return _environment().get_template(name).render(context)


def _hash(text: str) -> str:
    """A source of a Content-Security-Policy: exactly this inline text."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    folder = Path(__file__).with_name("templates")
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "arrows": arrows,
        "bar": bar,
        "generator": GENERATOR,
        "heat": _heat,
        "most_classes": MOST_CLASSES,
        "names": OPERATIONS,
        "nodes": NODES,
        "policy": (
            f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        "script": script,
        "share": share,
        "size": lambda n_bytes: amount(n_bytes, "bytes"),
        "states": STATES,
        "style": style,
    }
    return environment
