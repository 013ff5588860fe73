"""A search and a dry run as JSON documents: what ``--json`` prints, and what the tables are made from."""

from __future__ import annotations

from typing import Any

from toolchain.architecture.text import to_text
from toolchain.search.board import LATENCY, PACE, Board, Verdict
from toolchain.search.dry_run import DryRun, PositionOutlook
from toolchain.search.entries import footprint_entry, scores_entry
from toolchain.search.results import Candidate, Position, SearchResult
from toolchain.search.sizing import Sizing

Document = dict[str, Any]


def search_document(result: SearchResult) -> Document:
    """The winner, what it takes of which limit, and how it was chosen."""
    return {
        **_sizing(result.sizing),
        "architecture": to_text(result.architecture),
        "footprint": footprint_entry(result.footprint),
        "budget": budget_lines(result.sizing.board.judge(result.architecture), result.sizing.board),
        "candidates": {"space": result.space, "dropped": result.dropped, "scored": result.scored},
        "positions": [_position(index, found) for index, found in enumerate(result.positions)],
        "seconds": round(result.seconds, 2),
    }


def dry_run_document(plan: DryRun) -> Document:
    """The sizes a search would take, which limit keeps them from being larger, and the room for cells."""
    chosen = plan.sizing.verdict
    return {
        **_sizing(plan.sizing),
        "dry_run": True,
        "architecture": to_text(chosen.architecture),
        "footprint": footprint_entry(chosen.footprint),
        "budget": budget_lines(chosen, plan.sizing.board),
        "binding": plan.binding,
        "next_larger": plan.sizing.next_larger and _verdict(plan.sizing.next_larger),
        "tried": [_verdict(verdict) for verdict in plan.tried],
        "positions": [_outlook(index, outlook) for index, outlook in enumerate(plan.positions)],
    }


def budget_lines(verdict: Verdict, board: Board) -> list[Document]:
    """Used, available and headroom for every limit that applies to the board, in bytes or milliseconds."""
    used, limits = verdict.footprint, board.limits
    available = {region.name: region.available_bytes for region in limits.regions}
    lines = [_line(region.name, region.used_bytes, available[region.name]) for region in used.regions]
    kinds = [region.kind for region in used.regions]
    totals = (
        ("flash in all", used.flash_bytes if kinds.count("flash") > 1 else None, limits.flash_bytes),
        ("sram in all", used.sram_bytes if kinds.count("sram") > 1 else None, limits.sram_bytes),
        ("artifact", used.artifact_bytes, limits.artifact_bytes),
        ("resident", used.resident_bytes, limits.resident_bytes),
        (LATENCY, verdict.latency_ms, limits.latency_ms),
        (PACE, verdict.latency_ms, board.pace_ms),
    )
    return lines + [
        _line(name, taken, allowed)
        for name, taken, allowed in totals
        if taken is not None and allowed is not None
    ]


def _line(limit: str, used: float, available: float) -> Document:
    return {"limit": limit, "used": used, "available": available, "headroom": available - used}


def _sizing(sizing: Sizing) -> Document:
    board = sizing.board
    return {
        "profile": board.profile.name,
        "demonstration": board.demonstration,
        "keeps_pace": sizing.keeps_pace,
    }


def _position(index: int, found: Position) -> Document:
    return {
        "position": index,
        "cell": str(found.chosen.cell),
        "space": found.space,
        "dropped": found.dropped,
        "scored": len(found.scored),
        "stopped_by": found.stopped_by,
        "chosen": _candidate(found.chosen),
        "references": [_candidate(candidate) for candidate in found.references],
    }


def _candidate(candidate: Candidate) -> Document:
    return {
        "cell": str(candidate.cell),
        "roles": list(candidate.roles),
        "weights": candidate.weights,
        "scores": scores_entry(candidate.scores),
    }


def _outlook(index: int, outlook: PositionOutlook) -> Document:
    return {
        "position": index,
        "space": outlook.space,
        "fit": outlook.fit,
        "dropped": outlook.dropped,
        "smallest": _verdict(outlook.smallest),
        "largest": _verdict(outlook.largest),
    }


def _verdict(verdict: Verdict) -> Document:
    return {
        "architecture": to_text(verdict.architecture),
        "footprint": footprint_entry(verdict.footprint),
        "latency_ms": verdict.latency_ms,
        "dropped_by": verdict.dropped_by,
    }
