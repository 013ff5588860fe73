"""Float32 ONNX of a network of the ``snasnet`` space: ``image`` uint8 [N, C, H, W] -> ``logits`` float32 [N, classes].

All time steps are inside. Norms behind a convolution are folded into it, those before neurons are a factor and a
term for each channel, and the voters of a class are averaged into one output; dropout is gone. Neurons are as in
``toolchain.network.snasnet``: u <- u / 4 + x, fired at u >= tau.

Sums are rounded as the runtime orders them, so logits agree with torch to about 1e-6, except for an image where
a potential comes so close to the threshold that it fires in one and not in the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn

from exporters.metadata import GENERATOR
from exporters.onnx import MIN_IR_VERSION
from exporters.onnx.builder import Builder
from exporters.onnx.forms import PREFIX
from exporters.onnx.lowering import IMAGE, MIN_OPSET
from toolchain.architecture.cells import OUTPUT, Operation
from toolchain.architecture.snasnet import REDUCTION, SPACE, TAU, THRESHOLD, to_text
from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.network.snasnet import SnasnetCell, SnasnetNetwork
from toolchain.network.spiking import PIXEL_SCALE, ConvNorm

LOGITS = "logits"
FILE = "model_float.onnx"
"""Name of the artifact that ``export`` writes."""

MAX_BYTES = (1 << 31) - 1
"""Protocol buffers, in which ONNX is stored, end here."""


def export(network: SnasnetNetwork, folder: Path, opset: int, ir_version: int) -> Path:
    """Write ``model_float.onnx`` of ``network`` into ``folder``; raises as ``build``, and ``InputError`` over 2 GiB."""
    content_bytes = sum(values.nbytes for values in network.state_dict().values())
    if content_bytes > MAX_BYTES:
        raise InputError(
            f"`{to_text(network.architecture)}` has {content_bytes:,} bytes of weights, more than an ONNX file"
            " can hold; take fewer channels, pool4 or a narrower fully connected layer"
        )
    path = folder / FILE
    write_atomic(path, build(network, opset, ir_version).SerializeToString(deterministic=True))
    return path


def build(network: SnasnetNetwork, opset: int, ir_version: int) -> onnx.ModelProto:
    """Lower ``network``, as it is after training, to a checked model of this opset and IR version.

    Raises ``InputError`` if these are older than what the operators need.
    """
    if opset < MIN_OPSET or ir_version < MIN_IR_VERSION:
        raise InputError(
            f"ONNX opset {opset}, IR {ir_version} is too old for networks of the snasnet space; they need opset"
            f" {MIN_OPSET}, IR {MIN_IR_VERSION} or newer"
        )
    builder = Builder()
    steps = network.architecture.time_steps
    fired: list[str] = []
    potentials: dict[str, str] = {}
    for index in range(steps):
        step = Step(builder, f".t{index}", potentials)
        fired.append(_lower(step, network))
        potentials = step.after if index + 1 < steps else {}
    _vote(builder, network, fired)
    return builder.model(
        {IMAGE: (TensorProto.UINT8, ("N", *network.pixels))},
        {LOGITS: (TensorProto.FLOAT, ("N", network.classes))},
        opset=opset,
        ir_version=ir_version,
        properties={
            f"{PREFIX}generator": GENERATOR,
            f"{PREFIX}space": SPACE,
            f"{PREFIX}architecture": to_text(network.architecture),
        },
        producer=tuple(GENERATOR.split(" ")),  # type: ignore[arg-type]
        description="All time steps of a float network for comparison: preprocessed pixels in, logits out.",
    )


@dataclass
class Step:
    """One time step: ``potentials`` by layer of neurons, none before the first; ``after`` is the next step's.

    Operators on values that do not change over time are emitted once (``Builder``).
    """

    builder: Builder
    suffix: str
    potentials: dict[str, str]
    after: dict[str, str] = field(default_factory=dict)

    def op(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Emit an operator whose output is called ``name`` and the step."""
        return self.builder.op(kind, inputs, name + self.suffix, **attributes)

    def neurons(self, name: str, current: str) -> str:
        """u <- (1 - 1 / tau) u + x; fired at u >= tau, and then 0."""
        constant = self.builder.constant
        potential = current
        if name in self.potentials:
            kept = constant("kept", np.array(1 - 1 / TAU, np.float32))
            left = self.op("Mul", [self.potentials[name], kept], f"{name}.left")
            potential = self.op("Add", [left, current], f"{name}.potential")
        threshold = constant("threshold", np.array(TAU * THRESHOLD, np.float32))
        fired = self.op("GreaterOrEqual", [potential, threshold], f"{name}.fired")
        spikes = self.op("Cast", [fired], f"{name}.spikes", to=TensorProto.FLOAT)
        drop = self.op("Mul", [potential, spikes], f"{name}.drop")
        self.after[name] = self.op("Sub", [potential, drop], f"{name}.reset")
        return spikes

    def convolution(self, name: str, source: str, pair: ConvNorm, scale: float = 1.0) -> str:
        """The convolution that ``pair`` is after training; ``scale`` multiplies its input, exactly if 2**k."""
        weight, bias = (_array(values) for values in pair.folded())
        inputs = [self.builder.constant(f"{name}.weight", weight * np.float32(scale))]
        inputs.append(self.builder.constant(f"{name}.bias", bias))
        (kernel, _), (stride, _) = pair.convolution.kernel_size, pair.convolution.stride
        return self.op(
            "Conv",
            [source, *inputs],
            f"{name}.sums",
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[kernel // 2] * 4,
        )

    def norm(self, name: str, source: str, norm: nn.BatchNorm2d) -> str:
        """x * gain + offset, with the running statistics."""
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        factor = self.builder.channels(f"{name}.gain", _array(gain))
        term = self.builder.channels(f"{name}.offset", _array(norm.bias - norm.running_mean * gain))
        scaled = self.op("Mul", [source, factor], f"{name}.scaled")
        return self.op("Add", [scaled, term], f"{name}.normalized")

    def pool(self, name: str, source: str, side: int) -> str:
        """Average over ``side`` x ``side``; an odd edge is dropped."""
        return self.op("AveragePool", [source], f"{name}.pooled", kernel_shape=[side] * 2, strides=[side] * 2)

    def cell(self, name: str, cell: SnasnetCell, source: str) -> str:
        """The value of the cell's output node."""
        nodes = {0: source}
        for node in range(OUTPUT):
            if node not in nodes:
                continue
            spikes = self.neurons(f"{name}.node{node}", nodes[node]) if str(node) in cell.neurons else ""
            for start, target, operation in cell.edges:
                if start == node:
                    part = self._edge(name, cell, f"{start}{target}", operation, nodes[node], spikes)
                    if target in nodes:
                        part = self.op("Add", [nodes[target], part], f"{name}.{start}{target}.total")
                    nodes[target] = part
        return nodes[OUTPUT]

    def _edge(
        self, name: str, cell: SnasnetCell, edge: str, operation: Operation, value: str, spikes: str
    ) -> str:
        if operation == Operation.SKIP:
            return value
        if operation == Operation.AVGPOOL3X3:
            return self.op(
                "AveragePool",
                [value],
                f"{name}.pool{edge[0]}",
                kernel_shape=[3, 3],
                pads=[1] * 4,
                count_include_pad=1,
            )
        pair = cell.convolutions[edge]
        assert isinstance(pair, ConvNorm)
        return self.convolution(f"{name}.{edge}", spikes, pair)


def _lower(step: Step, network: SnasnetNetwork) -> str:
    """Emit one time step; returns the spikes of the fully connected layer."""
    image = step.op("Cast", [IMAGE], "pixels", to=TensorProto.FLOAT)
    value = step.convolution("stem", image, network.stem, 1 / PIXEL_SCALE)
    value = step.norm("reduction", step.cell("first", network.first, value), network.reduction_norm)
    value = step.convolution("reduction", step.neurons("reduction", value), network.reduction)
    value = step.cell("second", network.second, step.pool("reduction", value, REDUCTION))
    spikes = step.neurons("last", step.norm("last", value, network.last_norm))
    pooled = step.pool("last", spikes, network.architecture.pool)
    features = step.op("Flatten", [pooled], "features", axis=1)
    weight = step.builder.constant("full.weight", _array(network.full.weight.T))
    return step.neurons("full", step.op("MatMul", [features, weight], "full.sums"))


def _vote(builder: Builder, network: SnasnetNetwork, fired: list[str]) -> None:
    """Emit the mean over voters and time steps, both of which are linear: one output a class for counted spikes."""
    counts = fired[0]
    for index, spikes in enumerate(fired[1:], 1):
        counts = builder.op("Add", [counts, spikes], f"counts.t{index}")
    shape = (network.classes, network.architecture.voters)
    weight = network.voters.weight.unflatten(0, shape).mean(1) / network.architecture.time_steps
    bias = network.voters.bias.unflatten(0, shape).mean(1)
    inputs = [
        builder.constant("voters.weight", _array(weight)),
        builder.constant("voters.bias", _array(bias)),
    ]
    builder.op("Gemm", [counts, *inputs], LOGITS, transB=1)


def _array(values: Tensor) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.ascontiguousarray(values.detach().numpy())
    return result
