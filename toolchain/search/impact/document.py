"""The analysis of operations as a JSON document, ``spikenas-impact/1``."""

from __future__ import annotations

from statistics import stdev
from typing import Any

from toolchain.architecture.text import to_text
from toolchain.datasets import Dataset
from toolchain.measures import MEASURES, Measure
from toolchain.search.candidates import Trained
from toolchain.search.cell_choice import RANKED_BY
from toolchain.search.front import objectives
from toolchain.search.impact.results import Impact, Score, SetImpact
from toolchain.search.impact.sets import NAMES

Document = dict[str, Any]

SCHEMA = "spikenas-impact/1"


def impact_document(impact: Impact, data: Dataset, seconds: float) -> Document:
    """What was asked, every set of operations, every network, and the operations that may go without a cost.

    Accuracies (shares of 1) or R2 are measured in integers on the held-out images; sizes, latency and dense
    synaptic operations are the cost model's, effective operations measured.
    """
    networks = {each.candidate.id: each for found in impact.sets for each in found.trained}
    ranked = sorted(networks.values(), key=lambda each: (-each.quality, each.size_bytes, each.candidate.id))
    measure = MEASURES[impact.board.task]
    held_out = ranked[0].outcomes[0].held_out if ranked else 0
    return {
        "schema": SCHEMA,
        "profile": impact.board.profile.name,
        "task": impact.board.task,
        "demonstration": impact.board.demonstration,
        "data": {"name": data.name, "sha256": data.sha256},
        "held_out_images": held_out,
        "images_seen": impact.extent.images_seen,
        "steps": impact.extent.steps,
        "seeds": list(impact.seeds),
        "deviation": impact.deviation,
        "scored_at": to_text(impact.anchor),
        "score": RANKED_BY,
        "sets": [_set(each, impact.sets[0], measure) for each in impact.sets],
        "networks": [_network(each, measure) for each in ranked],
        "default": impact.default.permitted,
        "costless": [NAMES[digit] for digit in impact.default.removed],
        "seconds": round(seconds, 2),
    }


def _set(found: SetImpact, full: SetImpact, measure: Measure) -> Document:
    best, chosen, leanest = found.best, found.chosen, found.leanest
    return {
        "name": found.operations.name,
        "operations": found.operations.permitted,
        "removed": [NAMES[digit] for digit in found.operations.removed],
        "cells": found.cells,
        "score": found.score and _score(found.score, full.score),
        "networks": [each.candidate.id for each in found.trained],
        "best": best and best.candidate.id,
        measure.name: best and best.quality,
        "difference": found.difference if best else None,
        "standard_error": found.error if best else None,
        "chosen": chosen and chosen.candidate.id,
        "more_bytes": found.more_bytes if chosen else None,
        "leanest": leanest and leanest.candidate.id,
        "more_operations": found.more_operations if leanest else None,
        "verdict": found.verdict,
    }


def _score(score: Score, full: Score | None) -> Document:
    total, of_full = score.total, full.total if full else None
    return {
        "cells": list(score.cells),
        "total": total,
        "deviation": score.deviation,
        "difference": None if total is None or of_full is None else total - of_full,
    }


def _network(each: Trained, measure: Measure) -> Document:
    qualities = [outcome.quality for outcome in each.outcomes]
    values = objectives(each)
    return {
        "id": each.candidate.id,
        "architecture": to_text(each.candidate.architecture),
        "roles": list(each.candidate.roles),
        measure.plural: qualities,
        "deviation": stdev(qualities) if len(qualities) > 1 else None,
        "dense_operations": each.candidate.verdict.operations,
        measure.name: values.pop("quality"),
        "effective_operations": values.pop("operations"),
        **values,
    }
