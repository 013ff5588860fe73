"""ONNX files for TensorRT: what its parser takes since version 8.0, with all weights as plain constants.

``image`` float32 [1, C, H, W], or [1, T, C, H, W] for frames, holds pixels 0 to 255; ``values`` float32
[1, classes] are scores / 2**score_exponent, so that they stay within float16's range. All time steps are inside.

- ``model_tensorrt.onnx``: float32 throughout, exact as long as TF32 is off. An engine may be built of it in float16,
  which is not exact: ``verify`` says by how much.
- ``model_tensorrt_int8.onnx``, for boards whose GPU has int8: spikes and the weights of what convolves them are int8
  between QuantizeLinear and DequantizeLinear, with power-of-two scales, which is exact too. Pixels do not fit int8,
  nor do spike counts: their layers stay float32.

Chosen for what TensorRT lacks (operators.md of onnx-tensorrt 8.0 and 10): uint8 inside a network, int8 outside of
quantization, zero points; opset 13 is the newest that 8.0 parses. Firing is a Clip, without booleans.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto

from exporters import float_constants as constants
from exporters.metadata import write_artifact
from exporters.onnx.builder import Builder
from exporters.onnx.forms import PRODUCER, all_steps, properties
from exporters.onnx.lowering import IMAGE, MIN_OPSET, Dialect, Step, convolution
from toolchain.errors import InputError
from toolchain.graph.checks import require_valid
from toolchain.graph.codes import codes
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Array, Head, Input, Lif, PixelConv
from toolchain.profiles.schema import Profile

FLOAT_FILE, INT8_FILE = "model_tensorrt.onnx", "model_tensorrt_int8.onnx"
"""Names of the artifacts."""

VALUES = "values"
"""Name of the output."""

OPSET, IR_VERSION = MIN_OPSET, 7
OLDEST = 8
"""First major version of TensorRT whose parser takes these files."""


class Engine(NamedTuple):
    """An engine that the board's TensorRT can build: of which file, how it computes, and the command that does it."""

    file: str
    precision: str
    command: str


def engines(profile: Profile) -> list[Engine]:
    """What can be built and timed on the board of ``profile``, nothing where there is no runtime.

    TF32, which is not exact, is off everywhere.
    """
    runtime = profile.runtime
    if runtime is None:
        return []
    wanted = [(FLOAT_FILE, "float32", "")]
    if runtime.gpu_fp16:
        wanted.append((FLOAT_FILE, "float16", " --fp16"))
    if runtime.gpu_int8:
        wanted.append((INT8_FILE, "int8", " --int8"))
    return [
        Engine(
            file,
            precision,
            f"trtexec --onnx={file} --saveEngine=model_{precision}.engine --noTF32{option}",
        )
        for file, precision, option in wanted
    ]


def notes(profile: Profile) -> list[str]:
    """What to tell who exported: how to build the engines."""
    return [f"on the board, {engine.precision}: {engine.command}" for engine in engines(profile)]


def export(graph: Graph, profile: Profile, folder: Path) -> list[Path]:
    """Write ``model_tensorrt.onnx``, and ``model_tensorrt_int8.onnx`` if the board's GPU has int8, into ``folder``.

    Raises ``InputError`` if the graph is invalid or untrained, or the board has no TensorRT, or one before 8.0.
    """
    require_valid(graph, "the network", weights=True)
    require_tensorrt(profile)
    assert profile.runtime is not None
    files = [FLOAT_FILE, INT8_FILE] if profile.runtime.gpu_int8 else [FLOAT_FILE]
    models = {name: build(graph, profile.name, int8=name == INT8_FILE) for name in files}
    for name, model in models.items():
        write_artifact(folder / name, model.SerializeToString(deterministic=True))
    return [folder / name for name in models]


def require_tensorrt(profile: Profile) -> None:
    """Raise ``InputError`` unless the board of ``profile`` runs a TensorRT that parses these files."""
    if profile.runtime is None:
        raise InputError(
            f"{profile.name} has no NVIDIA GPU, on which TensorRT runs; export another target"
            " (`spikenas-deploy export --list`)"
        )
    version = profile.runtime.tensorrt
    if version is None:
        raise InputError(
            f"{profile.name} has no TensorRT: its profile states none in [runtime]; export --target cpu, or add"
            ' `tensorrt = "VERSION"` to a profile of your own if the board has it'
        )
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST:
        raise InputError(
            f"{profile.name} states TensorRT {version}, but these files need {OLDEST}.0 or newer; update the board"
            " and its profile, or export --target cpu"
        )


def build(graph: Graph, profile: str, *, int8: bool) -> onnx.ModelProto:
    """Lower a valid Graph with weights to a checked model; ``int8``: with quantized spikes and weights."""
    builder = Builder()
    all_steps(graph, builder, Tensorrt(int8))
    return builder.model(
        {IMAGE: (TensorProto.FLOAT, (1, *graph.input.extents))},
        {VALUES: (TensorProto.FLOAT, (1, graph.head.classes))},
        opset=OPSET,
        ir_version=IR_VERSION,
        properties=properties(graph, profile, "tensorrt"),
        producer=PRODUCER,
        description="All time steps: preprocessed pixels 0 to 255 in, scores / 2**score_exponent out.",
    )


@dataclass(frozen=True)
class Tensorrt(Dialect):
    """``int8``: spikes and the weights that convolve them are quantized."""

    int8: bool

    def pixels(self, builder: Builder, node: Input) -> str:
        """``image`` is float32 already."""
        return IMAGE

    def weight(self, builder: Builder, node: Lif | Head, name: str, weight: Array) -> str:
        """float32, or int8 times a power of two for each output."""
        if not self.int8:
            return builder.constant(name, weight.astype(np.float32))
        shift = np.zeros(len(weight), np.uint8) if node.code_shift is None else node.code_shift
        units = np.ldexp(np.float32(1), shift.astype(np.int32)).astype(np.float32)
        inputs = [
            builder.constant(name, codes(weight, shift).astype(np.int8)),
            builder.constant(f"{node.name}.unit", units),
            builder.constant(f"{node.name}.zero_point", np.zeros(len(weight), np.int8)),
        ]
        return builder.op("DequantizeLinear", inputs, f"{name}.float", axis=0)

    def pixel_current(self, step: Step, node: Lif, index: int, edge: PixelConv) -> str:
        """floor(sum(w * 2**-r * pixel) + 1/2): in this order float16 holds the sum, which is a current."""
        assert edge.weight is not None
        prefix, scale = f"{node.name}.{index}", constants.rounding_scale(edge)
        scaled = edge.weight.astype(np.float32) * scale.reshape(-1, 1, 1, 1)
        weight = step.builder.constant(f"{prefix}.weight", scaled)
        half = step.builder.constant(f"{prefix}.half", constants.rounding_half(edge) * scale)
        return step.op(
            "Floor", [convolution(step, f"{prefix}.sums", edge, weight, half)], f"{prefix}.rounded"
        )

    def fire(self, step: Step, node: Lif, potential: str) -> tuple[str, str]:
        """How far an integer potential is above the threshold less one, between 0 and 1."""
        builder = step.builder
        margin = builder.channels(f"{node.name}.margin", constants.threshold(node) - 1)
        excess = step.op("Sub", [potential, margin], f"{node.name}.excess")
        zero, one = (builder.constant(f"clip.{bound}", np.array(bound, np.float32)) for bound in (0, 1))
        if not self.int8:
            spikes = step.op("Clip", [excess, zero, one], f"{node.name}.spikes")
            return spikes, spikes
        fired = step.op("Clip", [excess, zero, one], f"{node.name}.fired")
        scale = [one, builder.constant("spike.zero_point", np.array(0, np.int8))]
        quantized = step.op("QuantizeLinear", [fired, *scale], f"{node.name}.quantized")
        return step.op("DequantizeLinear", [quantized, *scale], f"{node.name}.spikes"), fired

    def read_out(self, builder: Builder, head: Head, counts: str) -> str:
        """Values float32 [1, classes]."""
        assert head.weight is not None and head.bias is not None and head.exponent is not None
        shifts = np.array(head.shifts or (0,) * head.classes, np.int32)
        unit = np.ldexp(np.float32(1), shifts - head.exponent).astype(np.float32)
        weight = builder.constant(f"{head.name}.weight", head.weight.astype(np.float32) * unit.reshape(-1, 1))
        bias = builder.constant(f"{head.name}.bias", head.bias.astype(np.float32) * unit)
        return builder.op("Gemm", [counts, weight, bias], VALUES, transB=1)
