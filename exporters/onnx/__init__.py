"""ONNX files for Linux boards: float32 arithmetic over stored integers, exact by construction."""

from __future__ import annotations

from pathlib import Path

from onnx import IR_VERSION
from onnx.defs import onnx_opset_version

from exporters.metadata import Form, write_artifact
from exporters.onnx.forms import build
from exporters.onnx.lowering import MIN_OPSET
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile

MIN_IR_VERSION = 7
"""The IR version that came with ``MIN_OPSET``."""

__all__ = ["FILES", "build", "export", "runtime_versions"]

FILES: dict[str, Form] = {"model.onnx": "unrolled", "model_step.onnx": "step"}
"""Artifact -> form; the names are stable."""


def export(graph: Graph, profile: Profile, folder: Path) -> list[Path]:
    """Write ``model.onnx`` (all time steps) and ``model_step.onnx`` (one, state in and out) into ``folder``.

    A microcontroller's profile has no runtime; its files are for desktops, in the oldest form that is written.
    Raises ``InputError`` if the graph is invalid or untrained, or the profile's ONNX Runtime is too old.
    """
    require_valid(graph, "the network", weights=True)
    opset, ir_version = runtime_versions(profile)
    contents = {name: build(graph, form, profile.name, opset, ir_version) for name, form in FILES.items()}
    for name, model in contents.items():
        write_artifact(folder / name, model.SerializeToString(deterministic=True))
    return [folder / name for name in contents]


def runtime_versions(profile: Profile) -> tuple[int, int]:
    """The newest opset and IR version that the board's ONNX Runtime loads, the oldest written if it has none.

    Raises ``InputError`` if they are too old for this exporter, or newer than the installed onnx.
    """
    opset, ir_version = MIN_OPSET, MIN_IR_VERSION
    if profile.runtime is not None:
        opset, ir_version = profile.runtime.onnx_opset, profile.runtime.onnx_ir_version
    if opset < MIN_OPSET or ir_version < MIN_IR_VERSION:
        raise InputError(
            f"profile {profile.name} loads ONNX opset {opset}, IR {ir_version}; this needs opset {MIN_OPSET}, "
            f"IR {MIN_IR_VERSION} or newer: update the board's ONNX Runtime and then the profile"
        )
    if opset > onnx_opset_version() or ir_version > IR_VERSION:
        raise InputError(
            f"profile {profile.name} asks for ONNX opset {opset}, IR {ir_version}, but the installed onnx knows "
            f"opset {onnx_opset_version()}, IR {IR_VERSION}: correct the profile, or `pip install --upgrade onnx`"
        )
    return opset, ir_version
