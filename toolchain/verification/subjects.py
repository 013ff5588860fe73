"""What is checked against what: an artifact or a run, and the limits that it is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.errors import InputError
from toolchain.profiles.budget import Budget, budget
from toolchain.profiles.schema import Profile
from toolchain.verification.firmware_lines import NetworkLimits

MODELS = (".onnx", ".tflite")
WRITTEN = (".bin", ".hex", ".uf2")
"""Files of what a programmer writes; what SRAM the image takes when it runs is not in them."""


@dataclass(frozen=True)
class Subject:
    """What is held to which limits: a file, or a run's folder.

    Without a ``profile``, ``limits`` are what the user gave. ``own``: the file belongs to a run.
    ``prefixes`` and ``network`` are for the network's part of somebody's firmware (``firmware_lines``).
    """

    path: Path
    profile: Profile | None
    limits: Budget
    network: NetworkLimits = NetworkLimits()
    prefixes: tuple[str, ...] = ()
    own: bool = False


def board_subject(
    path: Path,
    profile: Profile,
    limits: Mapping[str, int | float],
    network: NetworkLimits,
    prefixes: tuple[str, ...],
    own: bool = False,
) -> Subject:
    """``path`` held to the budget of ``profile``, narrowed to ``limits`` (keys as in ``Budget``).

    Raises ``InputError`` if they widen it, or are of what cannot be seen from such a file.
    """
    _require_visible(path, limits)
    narrowed = budget(profile, **dict[str, Any](limits))
    return Subject(path, profile, narrowed, network, prefixes, own)


def run_subject(path: Path, run: Path, limits: Mapping[str, int | float]) -> Subject:
    """``path``, a run's folder or an artifact in it, held to the budget of ``run``, narrowed further.

    Raises ``InputError`` if the run is broken, or as ``board_subject`` does.
    """
    from toolchain.runs import RunFolder

    _require_visible(path, limits)
    folder, further = RunFolder(run), dict[str, Any](limits)
    profile = folder.profile()
    return Subject(path, profile, folder.settings().budget(profile, **further), own=True)


def explicit_subject(
    path: Path, limits: Mapping[str, int | float], network: NetworkLimits, prefixes: tuple[str, ...]
) -> Subject:
    """``path`` held to ``limits`` alone, for no board in particular.

    Raises ``InputError`` if they are none, or not those of such a file.
    """
    _require_visible(path, limits)
    sizes = dict[str, Any](limits)
    model = path.suffix in MODELS
    fitting = {"artifact_bytes"} if model else {"flash_bytes", "sram_bytes"}
    of_network = network != NetworkLimits()
    if sizes.keys() - fitting or not (sizes or of_network) or (model and of_network):
        kind, keys = ("a model", "artifact") if model else ("firmware", "flash or sram")
        raise InputError(f"{path} is {kind}; limit it with {keys}, or give the profile of its board")
    alone = Budget(
        (),
        sizes.get("flash_bytes"),
        sizes.get("sram_bytes"),
        sizes.get("artifact_bytes"),
        None,
        None,
        None,
        None,
    )
    return Subject(path, None, alone, network, prefixes)


def _require_visible(path: Path, limits: Mapping[str, int | float]) -> None:
    if "sram_bytes" in limits and path.suffix in WRITTEN:
        raise InputError(
            f"{path} does not say what SRAM it takes; limit that of the .elf file it was made from"
        )
    if limits.keys() & {"latency_ms", "energy_mj"} and path.suffix in (*MODELS, *WRITTEN, ".elf"):
        raise InputError(
            f"{path} does not say how long an image takes; limit the time and the energy of the run that it is from"
        )
