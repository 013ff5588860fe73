"""Every setting of a run: the tables of ``run.toml``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from toolchain.profiles.budget import Budget, budget
from toolchain.profiles.schema import Profile

MOST_SEED = 2**31 - 1
"""Largest seed: what every generator of random numbers here takes."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(_Table):
    """Where the images come from and how they are prepared; ``source`` None is the built-in digits.

    ``frames``: into how many the events of a sample are counted, for data of event cameras.
    """

    source: str | None = None
    size: int | None = Field(default=None, ge=1, le=1024)
    channels: Literal["grey", "rgb"] | None = None
    crop: Literal["none", "centre_square"] = "none"
    seed: int = 0
    limit: int | None = Field(default=None, ge=1)
    frames: int | None = Field(default=None, ge=1, le=8)
    sha256: str | None = None


class LimitSettings(_Table):
    """Budgets narrowed by the user; None leaves the profile's.

    ``targets``: the artifacts that are held to them, and that ``export`` writes if it is told nothing else.
    """

    flash_bytes: int | None = None
    sram_bytes: int | None = None
    artifact_bytes: int | None = None
    resident_bytes: int | None = None
    latency_ms: float | None = None
    energy_mj: float | None = None
    operations: int | None = None
    targets: tuple[str, ...] | None = None


class SearchSettings(_Table):
    """Algorithm, seed and extent of the search; ``bits`` of a weight, where ``auto`` lets 8 and 4 compete."""

    algorithm: str = "spikenas"
    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    time_budget_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    bits: Literal[8, 4, 2, "auto"] = 8

    @property
    def widths(self) -> tuple[int, ...]:
        """The bits that a weight may have."""
        return (8, 4) if self.bits == "auto" else (self.bits,)


class TrainingSettings(_Table):
    """Seed, extent and manner of the training (``training.recipe.Recipe``); None leaves a value to the recipe.

    ``bits``: of weights, in place of the architecture's; ``auto`` chooses each layer's by the run's budget, which
    ``limits`` narrow beyond the search's.
    """

    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    epochs: int | None = Field(default=None, ge=1)
    time_budget_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    mirror: bool | None = None
    spike_rate: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    label_smoothing: float | None = Field(default=None, ge=0, lt=1, allow_inf_nan=False)
    average: float | None = Field(default=None, ge=0, lt=1, allow_inf_nan=False)
    distillation: float | None = Field(default=None, ge=0, lt=1, allow_inf_nan=False)
    precision: Literal["float32", "bfloat16"] | None = None
    bits: Literal[8, 4, 2, "auto"] | None = None
    limits: LimitSettings = LimitSettings()


class RunSettings(_Table):
    """All of ``run.toml``."""

    data: DataSettings = DataSettings()
    limits: LimitSettings = LimitSettings()
    search: SearchSettings = SearchSettings()
    training: TrainingSettings = TrainingSettings()

    def budget(self, profile: Profile, **further: Any) -> Budget:
        """The profile's budget, narrowed for the search, then for the training, and then by what is given."""
        narrowed = self.training.limits.model_dump(exclude_none=True)
        return budget(profile, **self.limits.model_dump() | narrowed | further)
