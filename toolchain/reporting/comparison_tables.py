"""The tables of several runs side by side; no figure is computed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from toolchain.reporting.document import Comparison, Figure, Operations, Report
from toolchain.reporting.network_tables import NOTHING, count_text, figure_text, measure_of
from toolchain.reporting.report_tables import STATES
from toolchain.reporting.tables import Table, amount, share

HASH_CHARACTERS = 16


def side_by_side(comparison: Comparison) -> list[Table]:
    """What the runs have in common in one table a subject, with a column for each run."""
    runs = comparison.runs
    # The space keeps a name that ends in > from being read as a column of numbers.
    names = [f"{number}. {run.run} " for number, run in enumerate(runs, 1)]

    def table(title: str, rows: Iterable[tuple[str, Callable[[Report], str]]]) -> Table:
        made = [(label, *(value(run) for run in runs)) for label, value in rows]
        return Table(title, ("", *names), tuple(row for row in made if set(row[1:]) != {NOTHING}))

    resources = dict.fromkeys(line.resource for run in runs for line in run.budget)
    return [
        table(
            "Runs",
            (
                ("state", lambda run: STATES[run.state]),
                ("board", lambda run: run.board.name),
                ("data", lambda run: run.data.name if run.data else NOTHING),
                ("data hash", lambda run: _short(run.provenance.data_sha256)),
                ("network", lambda run: run.architecture.text if run.architecture else NOTHING),
                (
                    "search",
                    lambda run: (
                        f"{run.search.algorithm}, {run.search.seconds:,.0f} s" if run.search else NOTHING
                    ),
                ),
                ("seed of search", lambda run: str(run.provenance.search_seed)),
                ("seed of training", lambda run: str(run.provenance.training_seed)),
            ),
        ),
        table("Budget: the most that is taken of each limit", ((name, _most(name)) for name in resources)),
        table("Quality", ((name, _stage(name)) for name in _stages(runs))),
        table(
            "Network",
            (
                ("parameters", _counted(lambda found: found.parameters)),
                ("dense ACs", _counted(lambda found: found.dense_acs)),
                ("effective ACs", _counted(lambda found: found.effective_acs)),
                ("MACs", _counted(lambda found: found.pixel_macs + found.head_macs)),
                ("latency", lambda run: _first(run.latency, "ms")),
                ("energy", lambda run: _first(run.energy, "mJ")),
            ),
        ),
    ]


def _most(resource: str) -> Callable[[Report], str]:
    def value(run: Report) -> str:
        lines = [line for line in run.budget if line.resource == resource]
        if not lines:
            return NOTHING
        tight = max(lines, key=lambda line: share(line.used, line.available))
        return f"{amount(tight.used, tight.unit)} of {amount(tight.available, tight.unit)}, {tight.evidence}"

    return value


def _stages(runs: Iterable[Report]) -> list[str]:
    return list(
        dict.fromkeys(_stage_name(s.stage, s.part) for run in runs if run.quality for s in run.quality.stages)
    )


def _stage_name(stage: str, part: str) -> str:
    return f"{stage}, {part}"


def _stage(name: str) -> Callable[[Report], str]:
    def value(run: Report) -> str:
        stages = run.quality.stages if run.quality else []
        found = [stage for stage in stages if _stage_name(stage.stage, stage.part) == name]
        return f"{measure_of(run).sentence(found[0].value)}, {found[0].evidence}" if found else NOTHING

    return value


def _searched(run: Report) -> str:
    return f"{run.search.algorithm}, {run.search.seconds:,.0f} s" if run.search else NOTHING


def _counted(pick: Callable[[Operations], int | None]) -> Callable[[Report], str]:
    return lambda run: NOTHING if run.operations is None else count_text(pick(run.operations))


def _first(figures: list[Figure], unit: str) -> str:
    found = [figure for figure in figures if figure.unit == unit]
    return f"{figure_text(found[0])}, {found[0].evidence}: {found[0].name}" if found else NOTHING


def _short(digest: str | None) -> str:
    return digest[:HASH_CHARACTERS] if digest else NOTHING
