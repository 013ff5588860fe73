"""``check``: an artifact, or a run with all of its artifacts, held against a board's limits; nothing is run."""

from __future__ import annotations

import os
from pathlib import Path

from toolchain.errors import InputError
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.verification.budget_lines import BudgetLine, binary_line, elf_lines, model_line

KINDS = (".onnx", ".tflite", ".elf", ".bin")
"""Endings of the files that can be checked."""

MICRO = ("model_micro.tflite", "model_micro_step.tflite")
"""Those of a run that are for microcontrollers, beside firmware."""


def check_file(path: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of one artifact; raises ``InputError`` if it is missing, broken, or nothing that can be checked."""
    if not os.path.exists(path):
        raise InputError(f"{path} does not exist; give an artifact ({', '.join(KINDS)}) or a run's folder")
    if path.suffix in (".onnx", ".tflite"):
        return [model_line(path, profile, limits)]
    if path.suffix == ".elf":
        return elf_lines(path, profile, limits)
    if path.suffix == ".bin":
        return [binary_line(path, profile, limits)]
    raise InputError(f"{path} is no artifact; give a file that ends in {', '.join(KINDS)}, or a run's folder")


def check_run(folder: Path, profile: Profile, limits: Budget) -> list[BudgetLine]:
    """Lines of every artifact of the run in ``folder``, and of what its network is predicted to take.

    Raises ``InputError`` if the run has neither, or one is broken or for another board.
    """
    artifacts = folder / "artifacts"
    # A microcontroller's network may be exported for desktops too, where it has no limit, and the other way round.
    kinds = (".elf", ".bin") if limits.regions else (".onnx", ".tflite")
    paths = sorted(
        path
        for path in artifacts.glob("*")
        if path.is_file() and (path.suffix in kinds or limits.regions and path.name in MICRO)
    )
    lines = [line for path in paths for line in check_file(path, profile, limits)]
    if (folder / "model.json").is_file():
        # The only lines that need numpy, which takes longer to import than everything else here.
        from toolchain.graph.storage import load_graph
        from toolchain.verification.prediction import predicted_lines

        lines += predicted_lines(load_graph(folder), profile, limits)
    if not lines:
        raise InputError(f"{folder} holds no network and no artifact yet; run `spikenas-deploy export` first")
    return lines
