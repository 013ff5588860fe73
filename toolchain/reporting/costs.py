"""Time and energy of an image: measured, emulated or estimated by the cost model, each with its source."""

from __future__ import annotations

from toolchain.cost.calibrated import label
from toolchain.cost.cycles import image_range_ms, range_words
from toolchain.cost.figures import energy_mj
from toolchain.cost.footprint import footprint
from toolchain.reporting.document import Figure
from toolchain.reporting.sources import Sources

_EMULATED = "at the instructions that were emulated"
_MODEL = "by the cost model"


def latency(sources: Sources) -> list[Figure]:
    """Milliseconds an image, and the instructions that firmware took for one, the strongest evidence first."""
    found = [
        Figure(
            name=f"{cost.artifact}, {name}",
            value=time_us / 1000,
            unit="ms",
            evidence=cost.evidence,
            source=f"{'' if cost.runtime.startswith('trtexec') else 'one thread of '}{cost.runtime} {cost.where}",
        )
        for cost in (sources.verdict.costs if sources.verdict else ())
        for name, time_us in (("median", cost.latency_us), ("95th percentile", cost.latency_p95_us))
    ]
    found += [
        Figure(name=name, value=time_us / 1000, unit="ms", evidence=run.evidence, source=run.description)
        for run in (sources.verdict.consoles if sources.verdict else ())
        for name, time_us in (
            ("firmware on the board, median", run.latency_us),
            ("firmware on the board, slowest", run.latency_most_us),
        )
        if time_us is not None
    ]
    slowest = _slowest(sources)
    if slowest is not None:
        artifact, runtime, instructions, time_ms = slowest
        found.append(
            Figure(
                name=f"instructions of {artifact}",
                value=instructions,
                unit="instructions",
                evidence="emulated",
                source=f"counted in {runtime}; the slowest image that was inspected",
            )
        )
        clock = f"{sources.profile.clock_hz / 1e6:g} MHz, {range_words(sources.profile, time_ms)}"
        found.append(Figure(name=_EMULATED, value=time_ms, unit="ms", evidence="estimated", source=clock))
    estimate = _estimate(sources)
    if estimate is not None:
        speed = sources.profile.performance
        if sources.profile.core is not None:
            how = range_words(sources.profile, estimate, estimated=True)
        else:
            how = (
                label(sources.profile)
                or f"float speed of the board: {speed.source if speed else 'not known'}"
            )
        found.append(Figure(name=_MODEL, value=estimate, unit="ms", evidence="estimated", source=how))
    return found


def energy(sources: Sources) -> list[Figure]:
    """Millijoules an image: the power that the profile names times each estimate of the board's own time."""
    power = sources.profile.power
    if power is None:
        return []
    source = f"{power.active_mw:g} mW while it computes: {power.source}"
    slowest = _slowest(sources)
    times = ((_EMULATED, slowest[3] if slowest else None), (_MODEL, _estimate(sources)))
    return [
        Figure(name=name, value=spent, unit="mJ", evidence="estimated", source=source)
        for name, time_ms in times
        if (spent := energy_mj(sources.profile, time_ms)) is not None
    ]


def _slowest(sources: Sources) -> tuple[str, str, int, float] | None:
    """Artifact, runtime, instructions and, at most, milliseconds of the slowest image that an emulator counted."""
    counted = [
        (max(report.instructions), report)
        for report in (sources.verdict.firmware if sources.verdict else ())
        if report.instructions
    ]
    if not counted:
        return None
    instructions, report = counted[0]
    return report.artifact, report.runtime, instructions, image_range_ms(sources.profile, instructions)[1]


def _estimate(sources: Sources) -> float | None:
    """Milliseconds by the cost model: at the spikes of the slowest inspected image, else at assumed ones."""
    for firmware in sources.verdict.firmware if sources.verdict else ():
        if firmware.estimated_instructions:
            slowest = max(firmware.estimated_instructions)
            return image_range_ms(sources.profile, slowest, estimated=True)[1]
    if sources.graph is None:
        return None
    return footprint(sources.graph, sources.profile, sources.limits.targets).latency_ms
