"""A search and a dry run as JSON documents: what ``--json`` prints, and what the tables are made from."""

from __future__ import annotations

import math
from statistics import stdev
from typing import Any

from toolchain.architecture.text import to_text
from toolchain.cost.cycles import binding
from toolchain.measures import MEASURES
from toolchain.search.algorithms.base import Found, ScoredCell
from toolchain.search.board import LATENCY, PACE, Board, Verdict
from toolchain.search.candidates import Trained
from toolchain.search.dry_run import DryRun, PositionOutlook
from toolchain.search.entries import footprint_entry
from toolchain.search.front import front, objectives
from toolchain.search.results import SearchResult

Document = dict[str, Any]

SCHEMA = "spikenas-search/2"


def search_document(result: SearchResult) -> Document:
    """The winner, what it takes of which limit, every candidate that was trained, and what was scored."""
    found = result.found
    kept = front(found.trained)
    return {
        "schema": SCHEMA,
        "algorithm": result.algorithm,
        **_board(found.board, found.keeps_pace),
        "id": found.chosen.id,
        **verdict_document(found.chosen.verdict, found.board),
        "candidates": {
            "space": found.counts.space,
            "dropped": found.counts.dropped,
            "scored": found.counts.scored,
            "trained": found.counts.trained,
        },
        "cells": [_cell(cell) for cell in found.cells],
        "trained": [_trained(each, found, each in kept) for each in _ranked(found.trained)],
        "seconds": round(result.seconds, 2),
    }


def dry_run_document(plan: DryRun) -> Document:
    """The sizes a search would begin with, which limit keeps them from being larger, and the room for cells."""
    return {
        **_board(plan.feasible.board, plan.feasible.keeps_pace),
        "dry_run": True,
        "sizes": {
            "space": len(plan.feasible.grid),
            "fit": len(plan.feasible.sizes),
            "dropped": plan.feasible.dropped,
        },
        **verdict_document(plan.verdict, plan.feasible.board),
        "binding": plan.binding,
        "next_larger": plan.next_larger and _verdict(plan.next_larger),
        "positions": [_outlook(index, outlook) for index, outlook in enumerate(plan.positions)],
    }


def verdict_document(verdict: Verdict, board: Board) -> Document:
    """A network, and what it takes of which limit."""
    return {
        "architecture": to_text(verdict.architecture),
        "footprint": footprint_entry(verdict.footprint),
        "budget": budget_lines(verdict, board),
    }


def budget_lines(verdict: Verdict, board: Board) -> list[Document]:
    """Used, available and headroom for every limit that applies, in bytes, milliseconds, millijoules or operations."""
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
        ("energy", used.energy_mj, limits.energy_mj),
        ("operations", used.operations, limits.operations),
    )
    return lines + [
        _line(name, taken, allowed)
        for name, taken, allowed in totals
        if taken is not None and allowed is not None
    ]


def _line(limit: str, used: float, available: float) -> Document:
    return {"limit": limit, "used": used, "available": available, "headroom": available - used}


def _board(board: Board, keeps_pace: bool) -> Document:
    return {
        "profile": board.profile.name,
        "task": board.task,
        "demonstration": board.demonstration,
        "keeps_pace": keeps_pace,
        "timed": binding(board.profile),
    }


def _ranked(trained: tuple[Trained, ...]) -> list[Trained]:
    return sorted(trained, key=lambda each: (-each.rung, -each.quality, each.size_bytes))


def _trained(each: Trained, found: Found, on_front: bool) -> Document:
    qualities = [outcome.quality for outcome in each.outcomes]
    values = objectives(each)
    return {
        "id": each.candidate.id,
        "architecture": to_text(each.candidate.architecture),
        "roles": list(each.candidate.roles),
        "chosen": each.candidate.id == found.chosen.id,
        "front": on_front,
        "rung": each.rung + 1,
        "steps": each.extent.steps,
        "trainings": len(qualities),
        "deviation": stdev(qualities) if len(qualities) > 1 else None,
        "held_out_images": each.outcomes[0].held_out,
        MEASURES[found.board.task].name: values.pop("quality"),
        **values,
    }


def _cell(cell: ScoredCell) -> Document:
    return {
        "position": cell.position,
        "cell": cell.cell,
        "roles": list(cell.roles),
        "scores": {name: _number(value) for name, value in cell.scores.items()},
        "deviation": _number(cell.deviation),
        "longest_path": cell.longest_path,
        "convolutions": cell.convolutions,
    }


def _number(value: float) -> float | None:
    # -inf: the network fires alike for all images.
    return value if math.isfinite(value) else None


def _outlook(index: int, outlook: PositionOutlook) -> Document:
    return {
        "position": index,
        "space": outlook.space,
        "fit": outlook.fit,
        "dropped": outlook.dropped,
    }


def _verdict(verdict: Verdict) -> Document:
    return {
        "architecture": to_text(verdict.architecture),
        "footprint": footprint_entry(verdict.footprint),
        "latency_ms": verdict.latency_ms,
        "dropped_by": verdict.dropped_by,
    }
