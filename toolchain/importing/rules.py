"""What a layer must be to be carried over: one rule a function, whose docstring is its documentation.

Each rule yields a sentence for what it finds wrong with a layer; ``require_carriable`` collects all of them, so that
a user sees the whole list at once. What depends on a layer's neighbours is in ``toolchain.importing.walk``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import snntorch
import torch
from torch import Tensor, nn

from toolchain.errors import InputError
from toolchain.importing.layers import Layer, pair

CARRIED: tuple[type[nn.Module], ...] = (
    nn.Conv2d,
    nn.Linear,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
    snntorch.Leaky,
)

_INSTEAD = {
    "Alpha": "a Leaky: the neuron here has one state, its potential",
    "Synaptic": "a Leaky: the neuron here has one state, its potential",
    "RLeaky": "a Leaky: networks here are feed-forward",
    "RSynaptic": "a Leaky: networks here are feed-forward",
    "Lapicque": "a Leaky with beta = 1 - dt / (R C)",
    "LeakyParallel": "a Leaky, which computes step by step",
    "SLSTM": "a Leaky: networks here are feed-forward",
    "SConv2dLSTM": "a Leaky: networks here are feed-forward",
    "ReLU": "a Leaky: every map here is spikes",
    "LeakyReLU": "a Leaky: every map here is spikes",
    "Sigmoid": "a Leaky: every map here is spikes",
    "Softmax": "nothing: the highest score is the class",
    "LogSoftmax": "nothing: the highest score is the class",
    "ConvTranspose2d": "a Conv2d: maps only shrink here",
    "Upsample": "a Conv2d: maps only shrink here",
    "Conv1d": "a Conv2d",
    "Conv3d": "a Conv2d over the frames, one a time step",
    "LayerNorm": "a BatchNorm2d behind the convolution, which is folded into it",
    "GroupNorm": "a BatchNorm2d behind the convolution, which is folded into it",
    "InstanceNorm2d": "a BatchNorm2d behind the convolution, which is folded into it",
    "BatchNormTT2d": "a BatchNorm2d: weights here are the same in every time step",
}

Broken = Iterator[str]
Rule = Callable[[Layer], Broken]


def is_known(layer: Layer) -> Broken:
    """A layer is a Conv2d, Linear, Leaky, BatchNorm2d, BatchNorm1d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten,
    Dropout or Identity.
    """
    if type(layer.module) not in CARRIED:
        yield f"is not carried over; use {_INSTEAD.get(layer.kind, 'a layer that is, or leave it out')}"


def kernel_is_small(layer: Layer) -> Broken:
    """A Conv2d has a kernel of 1x1 or 3x3, which the firmware's kernels are written for."""
    if isinstance(layer.module, nn.Conv2d):
        height, width = pair(layer.module.kernel_size)
        if (height, width) not in ((1, 1), (3, 3)):
            yield f"has a {height}x{width} kernel; use 3x3 or 1x1 (two 3x3 see as far as one 5x5)"


def stride_is_one_or_two(layer: Layer) -> Broken:
    """A Conv2d has a stride of 1 or 2, the same in both directions."""
    if isinstance(layer.module, nn.Conv2d) and pair(layer.module.stride) not in ((1, 1), (2, 2)):
        yield f"has a stride of {_times(pair(layer.module.stride))}; use 1 or 2"


def padding_is_half_the_kernel(layer: Layer) -> Broken:
    """A Conv2d is padded with zeros by half of its kernel: 1 for 3x3, 0 for 1x1."""
    convolution = layer.module
    if not isinstance(convolution, nn.Conv2d):
        return
    if convolution.padding_mode != "zeros":
        yield f"is padded by {convolution.padding_mode!r}; use zeros"
    kernel = pair(convolution.kernel_size)
    found = convolution.padding
    if isinstance(found, str):
        found = pair(0) if found == "valid" else (kernel[0] // 2, kernel[1] // 2)
    if pair(found) != (kernel[0] // 2, kernel[1] // 2):
        yield f"is padded by {_times(pair(found))}; use padding={kernel[0] // 2}"


def convolution_is_dense(layer: Layer) -> Broken:
    """A Conv2d has one group and no dilation: every output reads every channel of its neighbours."""
    if isinstance(layer.module, nn.Conv2d):
        if layer.module.groups != 1:
            yield f"has {layer.module.groups} groups; use groups=1"
        if pair(layer.module.dilation) != (1, 1):
            yield f"has a dilation of {_times(pair(layer.module.dilation))}; use 1"


def pooling_of_spikes_halves(layer: Layer) -> Broken:
    """A MaxPool2d has a kernel and a stride of 2 and no padding: it becomes OR pooling, the same for spikes."""
    pooling = layer.module
    if isinstance(pooling, nn.MaxPool2d):
        form = (pair(pooling.kernel_size), pair(pooling.stride, pooling.kernel_size), pair(pooling.padding))
        if form != ((2, 2), (2, 2), (0, 0)) or pair(pooling.dilation) != (1, 1) or pooling.ceil_mode:
            yield "is not MaxPool2d(2); use that, or a convolution with stride 2"
        if pooling.return_indices:
            yield "returns indices; leave return_indices out"


def flatten_keeps_images_apart(layer: Layer) -> Broken:
    """A Flatten flattens all but the first axis, which is that of the images."""
    if isinstance(layer.module, nn.Flatten) and (layer.module.start_dim, layer.module.end_dim) != (1, -1):
        yield "flattens other axes than nn.Flatten() does; use that"


def normalization_is_fixed(layer: Layer) -> Broken:
    """A BatchNorm has running statistics, which are folded into the layer before it."""
    norm = layer.module
    if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) and norm.running_mean is None:
        yield "keeps no running statistics; train it with track_running_stats=True"


def leak_is_one_number(layer: Layer) -> Broken:
    """A Leaky has one beta for the whole map, from 0 to 1; learn_beta may have learnt it."""
    if isinstance(layer.module, snntorch.Leaky):
        beta = _tensor(layer.module.beta)
        if len(torch.unique(beta)) != 1 or not bool(torch.isfinite(beta).all()):
            yield f"has {beta.numel()} values of beta; use one for the layer"


def threshold_is_positive(layer: Layer) -> Broken:
    """A Leaky has one threshold, or one for each channel, above 0."""
    if isinstance(layer.module, snntorch.Leaky):
        threshold = _tensor(layer.module.threshold)
        if not bool((threshold > 0).all()) or not bool(torch.isfinite(threshold).all()):
            yield "has a threshold that is not above 0; use one that is"
        elif threshold.numel() != max([1, *threshold.shape]):
            yield "has a threshold for each neuron; use one for the layer or each channel"


def neuron_resets(layer: Layer) -> Broken:
    """A Leaky resets by subtraction or to zero."""
    if isinstance(layer.module, snntorch.Leaky) and int(layer.module.reset_mechanism_val) not in (0, 1):
        yield "has no reset; use reset_mechanism='subtract' or 'zero'"


def neuron_is_plain(layer: Layer) -> Broken:
    """A Leaky keeps its own state (init_hidden=True), gives spikes of 1, and has no inhibition and no state_quant."""
    neuron = layer.module
    if not isinstance(neuron, snntorch.Leaky):
        return
    if not neuron.init_hidden:
        yield "is called with its potential, which an nn.Sequential cannot do; use init_hidden=True"
    if neuron.inhibition:
        yield "has inhibition; leave it out"
    if neuron.state_quant:
        yield "quantizes its state; leave state_quant out, since quantization is what happens here"
    if not bool((_tensor(neuron.graded_spikes_factor) == 1).all()):
        yield "has graded spikes; use graded_spikes_factor=1"


def weights_are_finite(layer: Layer) -> Broken:
    """Weights and statistics are finite numbers."""
    if not all(bool(torch.isfinite(values).all()) for values in layer.module.state_dict().values()):
        yield "has weights that are infinite or no numbers; train it again"


RULES: tuple[Rule, ...] = (
    is_known,
    kernel_is_small,
    stride_is_one_or_two,
    padding_is_half_the_kernel,
    convolution_is_dense,
    pooling_of_spikes_halves,
    flatten_keeps_images_apart,
    normalization_is_fixed,
    leak_is_one_number,
    threshold_is_positive,
    neuron_resets,
    neuron_is_plain,
    weights_are_finite,
)


def require_carriable(layers: Sequence[Layer], name: str) -> None:
    """Raise ``InputError`` with every layer of the model ``name`` that breaks a rule, and how to mend it."""
    found = [f"{layer} {text}" for layer in layers for rule in RULES for text in rule(layer)]
    found += neurons_are_separate(layers)
    if found:
        raise InputError(f"{name} cannot be carried over: " + "; ".join(found))


def neurons_are_separate(layers: Sequence[Layer]) -> Broken:
    """A Leaky is used once, because it holds the potentials of its map."""
    first: dict[int, Layer] = {}
    for layer in layers:
        if isinstance(layer.module, snntorch.Leaky):
            other = first.setdefault(id(layer.module), layer)
            if other is not layer:
                yield f"{layer} is the same neuron as layer {other.place}; make one for each"


def _tensor(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value).detach().float()


def _times(extent: tuple[int, int]) -> str:
    return f"{extent[0]}x{extent[1]}"
