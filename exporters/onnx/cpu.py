"""What ONNX Runtime on a processor gets: int8 weights that it makes float32 when it opens the file, uint8 pixels."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import TensorProto

from exporters import float_constants as constants
from exporters.onnx.builder import Builder
from exporters.onnx.lowering import IMAGE, SCORES, Dialect, Step, convolution
from exporters.onnx.packing import stored_weight
from toolchain.cost.onnx_weights import has_int4
from toolchain.graph.nodes import Array, Head, Input, Lif, PixelConv


@dataclass(frozen=True)
class Cpu(Dialect):
    """``has_int4``: weights of fewer than 8 bits may be INT4."""

    has_int4: bool = False

    def pixels(self, builder: Builder, node: Input) -> str:
        """``image`` is uint8."""
        return builder.op("Cast", [IMAGE], f"{node.name}.pixels", to=TensorProto.FLOAT)

    def weight(self, builder: Builder, node: Lif | Head, name: str, weight: Array) -> str:
        """int8, or what ``exporters.onnx.packing`` stores in less."""
        return stored_weight(builder, node, name, weight, self.has_int4)

    def pixel_current(self, step: Step, node: Lif, index: int, edge: PixelConv) -> str:
        """floor((sum(w * pixel) + 2**(r - 1)) * 2**-r); where r = 0 this is the sum itself."""
        prefix = f"{node.name}.{index}"
        half = step.builder.constant(f"{prefix}.half", constants.rounding_half(edge))
        scale = step.builder.channels(f"{prefix}.scale", constants.rounding_scale(edge))
        assert edge.weight is not None
        weight = self.weight(step.builder, node, f"{prefix}.weight", edge.weight)
        sums = convolution(step, f"{prefix}.sums", edge, weight, half)
        return step.op("Floor", [step.op("Mul", [sums, scale], f"{prefix}.scaled")], f"{prefix}.rounded")

    def fire(self, step: Step, node: Lif, potential: str) -> tuple[str, str]:
        """1 where the potential is at least the threshold, else 0."""
        threshold = step.builder.channels(f"{node.name}.threshold", constants.threshold(node))
        fired = step.op("GreaterOrEqual", [potential, threshold], f"{node.name}.fired")
        spikes = step.op("Cast", [fired], f"{node.name}.spikes", to=TensorProto.FLOAT)
        return spikes, spikes

    def read_out(self, builder: Builder, head: Head, counts: str) -> str:
        """Scores int32 [N, classes]."""
        assert head.weight is not None and head.bias is not None
        weight = self.weight(builder, head, f"{head.name}.weight", head.weight)
        bias = builder.constant(f"{head.name}.bias", head.bias.astype("float32"))
        sums = builder.op("Gemm", [counts, weight, bias], f"{head.name}.sums", transB=1)
        return builder.op("Cast", [sums], SCORES, to=TensorProto.INT32)


def dialect(opset: int, ir_version: int) -> Cpu:
    """The one that a file of this opset and IR version may have."""
    return Cpu(has_int4(opset, ir_version))
