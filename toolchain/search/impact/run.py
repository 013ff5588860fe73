"""From a run's settings to what each operation is worth: a run folder that holds an analysis and no search."""

from __future__ import annotations

from typing import Any

from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.files import read_json, write_json
from toolchain.runs import RunFolder
from toolchain.search.board import Board
from toolchain.search.entries import start_entry
from toolchain.search.evaluation import Progress
from toolchain.search.executors import Workers
from toolchain.search.impact.document import SCHEMA, impact_document
from toolchain.search.problem import Problem
from toolchain.search.settings import SearchSettings
from toolchain.search.sitting import sitting

NAME = "operation impact"
"""What the journal calls the analysis, where a search has its algorithm."""

FILE, PLOT = "impact.json", "impact.{form}"

FORMS = ("svg", "png")


def analyze_run(
    run: RunFolder, data: Dataset | None = None, *, workers: Workers, progress: Progress
) -> dict[str, Any]:
    """Analyse the operations in ``run`` from where its journal ends, and return the document of what was found.

    ``run`` was begun as a search is (``toolchain.search.run.begin_run``). Writes ``impact.json``, ``impact.svg``
    and ``impact.png`` when all has ended. Raises ``InputError`` if the run's data or settings are not those that it
    began with, or if it is a search; ``OverBudgetError`` if nothing fits.
    """
    from toolchain.search.impact.analysis import analyse  # the command line's help must not wait for it
    from toolchain.search.impact.plot import plot

    asked = run.settings().search
    images = run.dataset() if data is None else data
    # All operations, whatever the defaults are: they follow from this analysis.
    settings = SearchSettings(asked.seed, asked.time_budget_s)
    problem = Problem(Board.for_data(run.profile(), run.search_budget(), images), images, settings)
    start = start_entry(NAME, problem)
    with sitting(start, problem, workers=workers, journal=run.journal, progress=progress) as begun:
        impact = analyse(problem, begun.evaluation)
        document = impact_document(impact, images, begun.evaluation.elapsed_s)
        begun.conclude({"kind": "result", "default": document["default"]})
    for form in FORMS:
        plot(document, run.path / PLOT.format(form=form))
    write_json(run.path / FILE, document)
    return document


def impact_found(run: RunFolder) -> dict[str, Any]:
    """What the analysis of ``run`` found; raises ``InputError`` if it did not end."""
    file = run.path / FILE
    if not file.is_file():
        raise InputError(
            f"{run.path} has no {FILE}, because its analysis did not end;"
            f" go on with it: spikenas-deploy search --resume --analyze-operations {run.path}"
        )
    found: dict[str, Any] = read_json(file)
    if found.get("schema") != SCHEMA:
        raise InputError(f"{file} is not an analysis of this version ({SCHEMA}); start a new one")
    return found
