"""The Pareto front: candidates that no other beats in everything that counts on the board."""

from __future__ import annotations

from collections.abc import Sequence

from toolchain.search.candidates import Trained

OBJECTIVES = ("quality", "flash_bytes", "sram_bytes", "artifact_bytes", "latency_ms", "operations")
"""What may count: accuracy or R2 is to be high, all others low. Those that a board does not know are left out."""


def objectives(trained: Trained) -> dict[str, float]:
    """The values that ``trained`` is compared by; ``operations`` are effective synaptic ones."""
    used = trained.candidate.verdict.footprint
    values = {
        "quality": trained.quality,
        "flash_bytes": used.flash_bytes,
        "sram_bytes": used.sram_bytes,
        "artifact_bytes": used.artifact_bytes,
        "latency_ms": used.latency_ms,
        "operations": trained.operations,
    }
    return {name: value for name, value in values.items() if value is not None}


def front(trained: Sequence[Trained]) -> list[Trained]:
    """The non-dominated of ``trained``, the most accurate first.

    Qualities of different rungs do not compare: longer trainings give more. So each candidate is compared with
    those of its own rung and of higher ones; it is dominated if one of them is at least as good in every
    objective and better in one.
    """
    kept = [
        each for each in trained if not any(_dominates(other, each) for other in trained if other is not each)
    ]
    return sorted(kept, key=lambda each: (-each.rung, -each.quality, each.size_bytes))


def _dominates(one: Trained, other: Trained) -> bool:
    if one.rung < other.rung:
        return False
    mine, theirs = _costs(one), _costs(other)
    return all(mine[name] <= theirs[name] for name in theirs) and mine != theirs


def _costs(trained: Trained) -> dict[str, float]:
    values = objectives(trained)
    return values | {"quality": -values["quality"]}
