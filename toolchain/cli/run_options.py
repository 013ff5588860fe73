"""The options that start a run, the same for every verb that starts one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from exporters.base import TARGETS, chosen
from toolchain.durations import parse_duration, parse_milliseconds
from toolchain.profiles.budget import parse_size
from toolchain.quantities import parse_count, parse_millijoules
from toolchain.settings import (
    MOST_SEED,
    DataSettings,
    LimitSettings,
    RunSettings,
    SearchSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from toolchain.search.executors import Workers

SEARCH_SHARE = 1 / 2
"""Share of a time budget that the search takes; the rest trains what it found."""

_BOARD = typer.Option(
    "--profile", metavar="NAME|FILE", help="The board: a shipped profile's name, or a .toml file."
)
Board = Annotated[str, _BOARD]
OptionalBoard = Annotated[str | None, _BOARD]
Data = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Labelled images or events; the built-in digits if none are given."),
]
Side = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=1024, help="Resize images to N x N pixels.")
]
Channels = Annotated[Literal["grey", "rgb"] | None, typer.Option(help="Convert images to these channels.")]
Frames = Annotated[
    int | None,
    typer.Option(
        metavar="T", min=1, max=8, help="Count an event camera's samples into T frames, one a time step; 8."
    ),
]
Limit = Annotated[int | None, typer.Option(metavar="N", min=1, help="Take at most N images of each part.")]
Size = Annotated[str | None, typer.Option(metavar="SIZE", help="Narrow this limit, as in 256KiB.")]
Latency = Annotated[
    str | None, typer.Option(metavar="TIME", help="Narrow or set the time for an image, as in 20ms.")
]
TimeBudget = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="About this long for search and training together, as in 60s."),
]
Energy = Annotated[
    str | None, typer.Option(metavar="ENERGY", help="Limit the energy for an image, as in 2mJ.")
]
Synops = Annotated[
    str | None, typer.Option(metavar="N", help="Limit the dense synaptic operations for an image, as in 5M.")
]
Algorithm = Annotated[
    Literal["spikenas", "snasnet", "random", "evolution"],
    typer.Option(help="How to search; all but the first are there to compare with."),
]
Bits = Annotated[
    Literal["8", "4", "2", "auto"],
    typer.Option(help="Bits in which a weight is stored; auto lets 8 and 4 compete."),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", min=1, max=1024, help="Processes that evaluate candidates; one a core."
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Evaluate candidates on this Ray cluster, as in auto."),
]
Shipped = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        help=f"Hold the budget on what is exported for {', '.join(target.name for target in TARGETS)}; may be"
        " repeated. By default the profile's own formats; `export --list` tells more.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of the search and the training.")]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The run's folder; by default a new one under runs/.")
]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of training in all.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

Words = TypeVar("Words", str, list[str])
Value = TypeVar("Value")


def run_settings(
    *,
    data: str | None,
    size: int | None,
    channels: Literal["grey", "rgb"] | None,
    limit: int | None,
    frames: int | None,
    flash: str | None,
    sram: str | None,
    artifact: str | None,
    resident: str | None,
    latency: str | None,
    energy: str | None,
    synops: str | None,
    algorithm: str,
    bits: str,
    time_budget: str | None,
    seed: int,
    epochs: int | None,
    targets: list[str] | None,
) -> RunSettings:
    """The settings that the options' words stand for; raises ``InputError`` for a size or time that is none."""
    seconds = _given(time_budget, parse_duration)
    search_s = None if seconds is None else seconds * SEARCH_SHARE
    training_s = None if seconds is None else seconds * (1 - SEARCH_SHARE)
    return RunSettings(
        data=data_settings(data, size, channels, limit, frames),
        limits=LimitSettings(
            flash_bytes=_given(flash, parse_size),
            sram_bytes=_given(sram, parse_size),
            artifact_bytes=_given(artifact, parse_size),
            resident_bytes=_given(resident, parse_size),
            latency_ms=_given(latency, parse_milliseconds),
            energy_mj=_given(energy, parse_millijoules),
            operations=_given(synops, parse_count),
            targets=_given(targets, known_targets),
        ),
        search=SearchSettings(
            algorithm=algorithm,
            seed=seed,
            time_budget_s=search_s,
            bits="auto" if bits == "auto" else int(bits),  # type: ignore[arg-type]
        ),
        training=TrainingSettings(seed=seed, epochs=epochs, time_budget_s=training_s),
    )


def data_settings(
    data: str | None,
    size: int | None,
    channels: Literal["grey", "rgb"] | None,
    limit: int | None,
    frames: int | None,
) -> DataSettings:
    """The settings of the data that the options name."""
    # A run is used from other folders too, so a path must not depend on this one.
    source = _given(data, _absolute)
    return DataSettings(source=source, size=size, channels=channels, limit=limit, frames=frames)


def without_training(settings: RunSettings) -> RunSettings:
    """``settings`` for what trains no network at its end: the search gets the whole time budget."""
    parts = settings.search.time_budget_s, settings.training.time_budget_s
    if parts[0] is None or parts[1] is None:
        return settings
    search = settings.search.model_copy(update={"time_budget_s": parts[0] + parts[1]})
    return settings.model_copy(update={"search": search})


def workers(count: int | None, ray: str | None) -> Workers:
    """Where candidates are evaluated: by default in as many processes as this process may use cores."""
    from toolchain.search.executors import Workers

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Workers(count or cores, ray)


def known_targets(names: list[str]) -> tuple[str, ...]:
    """``names``, each once; raises ``InputError`` for a target that is none."""
    return tuple(target.name for target in chosen((), names, ()))


def _given(words: Words | None, parse: Callable[[Words], Value]) -> Value | None:
    return None if words is None else parse(words)


def _absolute(source: str) -> str:
    from toolchain.datasets.loading import BUILT_IN  # help must not cost the import of numpy

    # A built-in's name stays one, whatever folder of that name lies here: ./digits is the folder.
    return source if source in BUILT_IN or not os.path.exists(source) else str(Path(source).absolute())
