"""Make a report and put its page where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from toolchain.errors import InputError
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


def redraw(run: RunFolder, *, samples: int | None = None, progress: Progress) -> None:
    """Draw the page of ``run`` again, because what it shows has changed.

    A page that cannot be drawn is removed, with a word: it would go on telling what was. What is no page of ours stays.
    """
    try:
        require_replaceable(run.page)
    except InputError:
        return
    drawn = False
    try:
        publish(run, samples=samples, progress=progress)
        drawn = True
        progress(f"drew {run.page} again")
    except InputError as error:
        progress(f"removed {run.page}, which cannot be drawn again: {error}")
    finally:
        if not drawn:
            run.page.unlink(missing_ok=True)


def publish_comparison(
    runs: Sequence[RunFolder], *, out: Path | None = None, samples: int | None = None, progress: Progress
) -> tuple[Comparison, Path]:
    """The same of several runs; by default into the current folder."""
    path = out or COMPARISON
    require_replaceable(path)
    found = compare(runs, samples=samples, progress=progress)
    write_page(path, comparison_page(found))
    return found, path
