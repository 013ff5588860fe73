"""Make a report and put its page where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from toolchain.reporting.document import Comparison, Report
from toolchain.reporting.page import comparison_page, page, require_replaceable, write_page
from toolchain.reporting.report import compare, report
from toolchain.runs import RunFolder

COMPARISON = Path("comparison.html")
"""Where the page of several runs goes that was given no place."""

Progress = Callable[[str], None]


def publish(
    run: RunFolder, *, out: Path | None = None, samples: int | None = None, progress: Progress
) -> tuple[Report, Path]:
    """Write the page of ``run`` to ``out``, by default into its folder; raises ``InputError`` as ``report`` does, or if
    something else lies there.
    """
    path = out or run.page
    require_replaceable(path)
    found = report(run, samples=samples, progress=progress)
    write_page(path, page(found))
    return found, path


def publish_comparison(
    runs: Sequence[RunFolder], *, out: Path | None = None, samples: int | None = None, progress: Progress
) -> tuple[Comparison, Path]:
    """The same of several runs; by default into the current folder."""
    path = out or COMPARISON
    require_replaceable(path)
    found = compare(runs, samples=samples, progress=progress)
    write_page(path, comparison_page(found))
    return found, path
