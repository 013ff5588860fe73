"""The memory map: what lies in each region of a microcontroller, from the plan and its proofs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from toolchain.cost.layout import Item, Layout, layout
from toolchain.cost.packing import Kind, aligned
from toolchain.profiles.budget import RegionLimit
from toolchain.reporting.document import Evidence, Memory, Proof, Region, Segment
from toolchain.reporting.sources import Sources
from toolchain.verification.verdict import FirmwareReport

_NAMES: dict[Kind, str] = {"weights": "weights", "known_answer": "known_answer"}
"""Kinds of constants that the map shows apart; all others are tables."""

_NOTES = {
    "code": "vectors, start-up code and kernels",
    "tables": "biases, thresholds and descriptors",
    "known_answer": "one image with its scores, for the self-test",
    "arena": "spikes, scratch and counts, shared over time",
    "mailbox": "pixels in, scores out",
    "stack": "set aside for calls",
    "copies": "weights that are read most, copied here from flash",
    "reserved": "kept for the rest of the firmware",
    "withheld": "beyond the budget that was asked for",
}


def memory(sources: Sources) -> Memory | None:
    """The map of ``sources``' network; None where the board has no regions, or the network is not known.

    What a linked image proves is measured; without one everything is as predicted, and estimated.
    """
    if sources.graph is None or not sources.limits.regions:
        return None
    plan = layout(sources.graph, sources.profile, sources.schedule)
    images = sources.verdict.firmware if sources.verdict else ()
    image = images[0] if images else None
    used = _measured(sources, image)
    return Memory(
        regions=[
            _region(sources, plan, limit, image, used.get(limit.name)) for limit in sources.limits.regions
        ],
        proofs=[
            Proof(
                artifact=each.artifact,
                name=proof.name,
                predicted_bytes=proof.predicted_bytes,
                used_bytes=proof.used_bytes,
                exact=proof.exact,
                holds=proof.holds,
            )
            for each in images
            for proof in each.proofs
        ],
        stack_used_bytes=image.stack_used_bytes if image else None,
        stack_reserved_bytes=image.stack_reserved_bytes if image else None,
    )


def _measured(sources: Sources, image: FirmwareReport | None) -> dict[str, int]:
    """Bytes that the linked ``image`` takes of each region."""
    if image is None or sources.verdict is None:
        return {}
    return {
        line.resource: line.used
        for line in sources.verdict.budget
        if line.artifact == image.artifact and line.evidence == "measured"
    }


def _region(
    sources: Sources, plan: Layout, limit: RegionLimit, image: FirmwareReport | None, measured: int | None
) -> Region:
    region = sources.profile.region(limit.name)
    proven = _proven(plan, image) if image else set()
    items = [item for item in plan.items if item.region == limit.name]
    content = [segment for item in items for segment in _content(plan, item, item.name in proven)]
    planned = sum(segment.size_bytes for segment in content)
    if measured is not None:
        content = _with_measured_code(content, measured - planned)
    used = sum(segment.size_bytes for segment in content)
    kept = _segment("reserved", region.reserved_bytes)
    around = [
        _segment("free", max(0, limit.available_bytes - used)),
        _segment("withheld", max(0, region.available_bytes - max(limit.available_bytes, used))),
    ]
    ordered = [kept, *content, *around] if region.reserved_at == "start" else [*content, *around, kept]
    return Region(
        name=region.name,
        kind=region.kind,
        origin=region.origin,
        size_bytes=region.size_bytes,
        available_bytes=limit.available_bytes,
        used_bytes=used,
        over_bytes=max(0, used - limit.available_bytes),
        segments=[segment for segment in ordered if segment.size_bytes],
    )


def _proven(plan: Layout, image: FirmwareReport) -> set[str]:
    """Items that the linked ``image`` has exactly as ``plan`` says, which may be another version's than the image's."""
    planned = {
        "constants": sum(constant.size_bytes for constant in plan.constants),
        "arena": plan.arena_bytes,
        "mailbox": plan.mailbox_bytes,
        "stack": plan.stack_bytes,
        "copies": plan.copies.size_bytes if plan.copies else 0,
    }
    return {proof.name for proof in image.proofs if proof.used_bytes == planned.get(proof.name)}


def _content(plan: Layout, item: Item, is_proven: bool) -> Iterator[Segment]:
    evidence: Evidence = "measured" if is_proven else "estimated"
    if item.name != "constants":
        yield _segment(item.name, item.size_bytes, evidence)
        return
    sizes: Counter[str] = Counter()
    for constant in plan.constants:
        sizes[_NAMES.get(constant.kind, "tables")] += aligned(constant.size_bytes)
    for kind in ("weights", "tables", "known_answer"):
        yield _segment(kind, sizes[kind], evidence)


def _with_measured_code(content: list[Segment], more_bytes: int) -> list[Segment]:
    """``content`` with the code as large as the image shows: whatever its region takes beside what is known exactly.

    An image that is smaller than what was predicted exactly is not as planned, which the verdict says; the
    prediction then stays as it is.
    """
    planned = sum(segment.size_bytes for segment in content if segment.kind == "code")
    if planned + more_bytes < 0:
        return content
    others = [segment for segment in content if segment.kind != "code"]
    return [_segment("code", planned + more_bytes, "measured"), *others]


def _segment(kind: str, size_bytes: int, evidence: Evidence | None = None) -> Segment:
    return Segment(kind=kind, size_bytes=size_bytes, evidence=evidence, note=_NOTES.get(kind, ""))  # type: ignore[arg-type]
