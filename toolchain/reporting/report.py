"""From a run to its report, whatever state it is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from toolchain import __version__
from toolchain.errors import InputError
from toolchain.measures import MEASURES, Task
from toolchain.reporting import costs, network
from toolchain.reporting import document as d
from toolchain.reporting.memory import memory
from toolchain.reporting.missing import missing
from toolchain.reporting.sources import LimitLine, Sources, read
from toolchain.runs import RunFolder
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.check import check_run
from toolchain.verification.verdict import profile_sha256

Progress = Callable[[str], None]


def report(run: RunFolder, *, samples: int | None = None, progress: Progress) -> d.Report:
    """Everything that ``run`` has to show; a trained network is run on its first ``samples`` test images.

    Raises ``InputError`` if a file of the run is broken. Data that cannot be had any more are said to be missing.
    """
    sources = read(run)
    graph, data, verdict = sources.graph, sources.data, sources.verdict
    observed = None
    if graph is not None and graph.has_weights and data is not None:
        from toolchain.reporting.outputs import observe  # nothing else here needs pictures

        if data.test.images.shape[1:] != graph.input.extents:
            raise InputError(
                f"the network of {run.path} takes {list(graph.input.extents)}, but its data are "
                f"{list(data.test.images.shape[1:])}; train the run again"
            )
        observed = observe(graph, data, samples, progress)
    activity = verdict.operations if verdict else observed.activity if observed else None
    return d.Report(
        run=Path(run.path).resolve().name,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        state=sources.state,
        demonstration=_demonstration(sources),
        task=_task(sources),
        missing=missing(sources),
        board=_board(sources),
        data=_data(sources),
        verdict=_verdict(sources),
        budget=_budget(sources),
        memory=memory(sources),
        search=_search(sources),
        architecture=network.architecture(sources.architecture) if sources.architecture else None,
        quality=_quality(sources),
        layers=network.layers(graph, activity) if graph else [],
        operations=network.totals(graph, activity) if graph else None,
        latency=costs.latency(sources),
        energy=costs.energy(sources),
        outputs=observed.outputs if observed else None,
        provenance=_provenance(sources),
    )


def compare(runs: Sequence[RunFolder], *, samples: int | None = None, progress: Progress) -> d.Comparison:
    """The reports of ``runs``, side by side; raises ``InputError`` as ``report`` does, or for fewer than two."""
    if len(runs) < 2:
        raise InputError("a comparison needs two runs or more; name their folders")
    return d.Comparison(runs=[report(run, samples=samples, progress=progress) for run in runs])


def _demonstration(sources: Sources) -> bool | None:
    if sources.data is not None:
        return sources.data.is_demonstration
    told = sources.training.is_demonstration if sources.training else None
    return told if told is not None or sources.search is None else sources.search.demonstration


def _task(sources: Sources) -> Task | None:
    if sources.graph is not None:
        return sources.graph.task
    told = sources.training or sources.search
    return told.task if told else None


def _board(sources: Sources) -> d.Board:
    profile = sources.profile
    return d.Board(
        name=profile.name,
        title=profile.title,
        role=profile.role,
        core=profile.core,
        clock_hz=profile.clock_hz,
        source=profile.source,
    )


def _data(sources: Sources) -> d.Data | None:
    data = sources.data
    if data is None:
        return None
    return d.Data(
        name=data.name,
        labels=list(data.labels),
        test_images=len(data.test),
        pixels=list(data.pixels),
        frames=data.test.images.shape[1] if data.test.images.ndim == 5 else 1,
    )


def _verdict(sources: Sources) -> d.Verdict | None:
    verdict = sources.verdict
    if verdict is None:
        return None
    return d.Verdict(
        passed=verdict.passed,
        images=verdict.images,
        failures=[d.Failure(**asdict(failure)) for failure in verdict.failures],
        notes=list(verdict.notes),
        compared=[
            d.Compared(
                artifact=row.artifact,
                runtime=row.runtime,
                evidence=row.evidence,
                images=row.images,
                integers=row.integers,
                differing=row.differing,
                spikes=d.FirstSpike(**asdict(row.spikes)) if row.spikes else None,
            )
            for row in verdict.comparisons
        ],
        boards=[d.OnBoard(**asdict(board)) for board in verdict.boards],
    )


def _budget(sources: Sources) -> list[d.BudgetRow]:
    """Of the verdict; without one of the files and the cost model, and before the training of the search."""
    if sources.verdict is not None:
        lines = list(sources.verdict.budget)
    elif sources.run.artifacts.is_dir() or sources.run.model.is_file():
        lines = check_run(sources.run.path, sources.profile, sources.limits)
    else:
        lines = [_predicted(line) for line in sources.search.budget] if sources.search else []
    return [d.BudgetRow(**asdict(line), headroom=line.headroom) for line in lines]


def _predicted(line: LimitLine) -> BudgetLine:
    units = {
        "latency": ("us", 1000),
        "pace": ("us", 1000),
        "energy": ("uj", 1000),
        "operations": ("operations", 1),
    }
    unit, factor = units.get(line.limit, ("bytes", 1))
    used, available = round(line.used * factor), round(line.available * factor)
    return BudgetLine("prediction", line.limit, used, available, "estimated", unit)  # type: ignore[arg-type]


def _search(sources: Sources) -> d.Search | None:
    found = sources.search
    if found is None:
        return None
    return d.Search(
        algorithm=found.algorithm,
        seconds=found.seconds,
        space=found.candidates.space,
        dropped=found.candidates.dropped,
        scored=found.candidates.scored,
        candidates=[d.Candidate(**each.model_dump()) for each in found.trained],
    )


def _quality(sources: Sources) -> d.Quality | None:
    task = _task(sources)
    if task is None:
        return None
    stages = [*_searched(sources), *_trained(sources), *_verified(sources)]
    if not stages:
        return None
    at_chance = sources.training is not None and sources.training.at_chance
    return d.Quality(measure=MEASURES[task].name, at_chance=at_chance, stages=stages)  # type: ignore[arg-type]


def _searched(sources: Sources) -> list[d.Stage]:
    chosen = [each for each in sources.search.trained if each.chosen] if sources.search else []
    return [
        d.Stage(
            stage=f"search, after {each.steps} steps",
            part="validation",
            value=each.quality,
            images=each.held_out_images,
            evidence="measured",
        )
        for each in chosen
    ]


def _trained(sources: Sources) -> list[d.Stage]:
    found = sources.training
    if found is None:
        return []
    rows = (
        ("float", "validation", found.float_validation, None),
        ("float", "test", found.float_test, found.test_images),
        ("quantized", "validation", found.validation, None),
        ("quantized", "test", found.test, found.test_images),
    )
    return [
        d.Stage(stage=stage, part=part, value=value, images=images, evidence="measured")  # type: ignore[arg-type]
        for stage, part, value, images in rows
        if value is not None
    ]


def _verified(sources: Sources) -> list[d.Stage]:
    """Each artifact in its runtime; of a regression with several numbers the mean of their R2, as everywhere."""
    found = []
    for row in sources.verdict.comparisons if sources.verdict else ():
        told = [number.r2 for number in row.numbers]
        value = row.accuracy if row.accuracy is not None else sum(told) / len(told) if told else None
        if value is not None:
            found.append(
                d.Stage(
                    stage=f"{row.artifact} in {row.runtime}",
                    part="test",
                    value=value,
                    images=row.images,
                    evidence=row.evidence,
                )
            )
    return found


def _provenance(sources: Sources) -> d.Provenance:
    manifest, settings = sources.manifest, sources.settings
    trained = sources.graph is not None and sources.graph.has_weights
    return d.Provenance(
        report_version=__version__,
        exported=manifest.created if manifest else None,
        python=manifest.python if manifest else None,
        packages=manifest.packages if manifest else {},
        search_seed=settings.search.seed,
        training_seed=settings.training.seed,
        data_sha256=sources.data.sha256 if sources.data else settings.data.sha256,
        graph_sha256=sources.graph.sha256() if sources.graph and trained else None,
        profile_sha256=profile_sha256(sources.profile),
        targets=manifest.targets if manifest else [],
        files=[
            d.File(name=name, size_bytes=entry.size_bytes, sha256=entry.sha256)
            for name, entry in (manifest.artifacts if manifest else {}).items()
        ],
    )
