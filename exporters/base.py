"""What artifacts there are, and what every exporter provides.

An artifact's ``format`` says how it is written, its ``target`` what will run it; a format may have several targets,
of which the first is its default. A module of each target writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile


@dataclass(frozen=True)
class Target:
    """What ``export`` can write: ``files`` are their stable names, ``runs_in`` what executes them.

    ``needs`` are the packages and tools, beside those of a plain installation, that writing and running it here takes.
    """

    name: str
    format: str
    module: str
    files: tuple[str, ...]
    runs_in: str
    needs: str = ""


TARGETS = (
    Target(
        "firmware",
        "c",
        "exporters.c",
        ("c/", "firmware.elf", "firmware.bin"),
        "microcontrollers, as an image of its own or a library within another firmware",
        "the mcu extra, or arm-none-eabi-gcc and qemu-system-arm",
    ),
    Target(
        "cpu",
        "onnx",
        "exporters.onnx",
        ("model.onnx", "model_step.onnx"),
        "ONNX Runtime on a board's processor",
    ),
    Target(
        "tensorrt",
        "onnx",
        "exporters.onnx.tensorrt",
        ("model_tensorrt.onnx", "model_tensorrt_int8.onnx"),
        "TensorRT on an NVIDIA GPU; here in ONNX Runtime",
        "trtexec on the board; int8 where its GPU has it",
    ),
    Target(
        "linux",
        "tflite",
        "exporters.tflite",
        ("model.tflite",),
        "tflite-runtime and LiteRT, with or without their delegates",
    ),
    Target(
        "micro",
        "tflite",
        "exporters.tflite.micro",
        ("model_micro.tflite", "model_micro_step.tflite"),
        "TensorFlow Lite Micro on microcontrollers",
        "the mcu extra, whose tflite-micro is for Linux on x86-64 (to run it here)",
    ),
    Target(
        "nir",
        "nir",
        "exporters.nir",
        ("model.nir",),
        "simulators and chips that read NIR, nearly; here, exactly",
        "the nir extra",
    ),
)
"""All that can be exported."""

FORMATS = tuple(dict.fromkeys(target.format for target in TARGETS))
"""Names of the formats."""


class Exporter(Protocol):
    """A module of ``exporters``: it lowers a Graph with weights to files that a runtime loads."""

    def export(self, graph: Graph, profile: Profile, folder: Path) -> list[Path]:
        """Write the artifacts into ``folder`` under stable names, atomically, and return their paths.

        Raises ``InputError`` if the profile's runtime cannot load what this network needs.
        """
        ...


def exporter(name: str) -> Exporter:
    """The module that writes the target ``name``, or the default target of the format ``name``.

    Raises ``InputError`` naming what there is.
    """
    found = next((target for target in TARGETS if target.name == name), None) or _first("format", name)
    module: Exporter = import_module(found.module)
    return module


def chosen(formats: Sequence[str], names: Sequence[str], default: Sequence[str]) -> tuple[Target, ...]:
    """The targets to export: those of ``names``, and the default one of each of ``formats`` that has none of them.

    Without either, the default targets of the formats ``default``. Raises ``InputError`` naming what there is.
    """
    found = [_first("name", name) for name in names]
    for name in formats or (() if names else default):
        first = _first("format", name)
        if all(target.format != name for target in found):
            found.append(first)
    return tuple(dict.fromkeys(found))


def _first(field: Literal["name", "format"], value: str) -> Target:
    """The first target of a name or of a format."""
    for target in TARGETS:
        if getattr(target, field) == value:
            return target
    kind = "target" if field == "name" else "format"
    known = dict.fromkeys(getattr(target, field) for target in TARGETS)
    raise InputError(f"no exporter writes the {kind} {value!r}; the {kind}s are {', '.join(known)}")
