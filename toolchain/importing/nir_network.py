"""A NIR file from elsewhere as an ``nn.Sequential`` of snnTorch, which is then carried over like any other.

Only chains of layers have a place here. A LIF is what Euler's steps of ``dt`` make of it:
v <- (1 - dt / tau) v + r dt / tau i, so a Leaky with beta = 1 - dt / tau whose threshold is divided by r dt / tau; an
IF is taken by steps of 1. Both reset to zero at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from torch import nn

from exporters.nir.hdf5 import Tree
from toolchain.errors import InputError
from toolchain.importing.layers import Layer

MAX_NODES = 1000
_ENDS = ("Input", "Output")
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RuntimeError)
_INSTEAD = {
    "CubaLIF": "a LIF: the neuron here has one state, its potential",
    "CubaLI": "nothing: the outputs of the last Affine are summed over time",
    "LI": "nothing: the outputs of the last Affine are summed over time",
    "I": "nothing: the outputs of the last Affine are summed over time",
    "NIRGraph": "a chain of layers: networks here are feed-forward",
    "Delay": "no delay: networks here are feed-forward",
    "Scale": "weights that are scaled",
    "Threshold": "a LIF",
    "Conv1d": "a Conv2d",
}

Floats = NDArray[np.float64]


def layers_of(tree: Tree, origin: str, dt: float) -> tuple[nn.Sequential, tuple[Layer, ...]]:
    """The model of the file that was read as ``tree`` from ``origin``, and its layers by the names of their nodes.

    Raises ``InputError`` if the file is broken, is no chain, or has a node that has no place here.
    """
    found = tree.get("node")
    if not isinstance(found, Mapping) or found.get("type") != "NIRGraph":
        raise InputError(f"{origin} holds no NIR graph; export it again")
    try:
        nodes = dict(found["nodes"])
        names = _chain(nodes, [tuple(edge) for edge in found["edges"]], origin)
    except _BROKEN as error:
        raise InputError(f"{origin} has broken nodes or edges; export it again") from error
    layers = tuple(Layer(name, _module(name, nodes[name], dt, origin)) for name in names)
    if not layers:
        raise InputError(f"{origin} has no layers; give a file with a convolution, a neuron and an Affine")
    numbered = OrderedDict((str(index), layer.module) for index, layer in enumerate(layers))
    return nn.Sequential(numbered), layers


def _chain(nodes: Tree, edges: list[Any], origin: str) -> list[str]:
    """Names of the nodes between the input and the output, in order."""
    inputs = [name for name, node in nodes.items() if node["type"] == "Input"]
    if len(inputs) != 1 or len(nodes) > MAX_NODES:
        raise InputError(f"{origin} has {len(inputs)} inputs and {len(nodes)} nodes; one input is possible")
    names, at = [], inputs[0]
    for _ in nodes:
        after = [target for source, target in edges if source == at]
        before = [source for source, target in edges if target == at]
        if len(after) > 1 or len(before) > 1:
            raise InputError(f"{origin} branches or joins at {at!r:.80}; only a chain of layers is imported")
        if not after:
            break
        at = after[0]
        names.append(at)
    else:
        raise InputError(f"{origin} runs in a circle; networks here are feed-forward")
    left = set(nodes) - set(names) - set(inputs)
    if left:
        raise InputError(f"{origin} has nodes that the input does not reach, such as {min(left)!r:.80}")
    return [name for name in names if nodes[name]["type"] not in _ENDS]


def _module(name: str, node: Tree, dt: float, origin: str) -> nn.Module:
    kind = node.get("type")
    build = _MODULES.get(kind) if isinstance(kind, str) else None
    if build is None:
        instead = _INSTEAD.get(str(kind), "a node that is, or leave it out")
        raise InputError(
            f"{origin} cannot be carried over: {name!r:.80} ({kind!s:.40}) has no place; use {instead}"
        )
    try:
        with torch.no_grad():
            return build(node, dt)
    except _Refused as error:
        raise InputError(f"{origin} cannot be carried over: {name!r:.80} ({kind}) {error}") from error
    except _BROKEN as error:
        raise InputError(
            f"{origin} is damaged: {name!r:.80} ({kind}) has broken values; export it again"
        ) from error


class _Refused(Exception):
    """A node has what has no place here."""


def _convolution(node: Tree, dt: float) -> nn.Module:
    weight, bias = _tensor(node["weight"]), _tensor(node["bias"])
    groups, padding = int(node["groups"]), node["padding"]
    out, into, *kernel = weight.shape
    module = nn.Conv2d(
        into * groups,
        out,
        (kernel[0], kernel[1]),
        _sides(node["stride"]),
        padding if isinstance(padding, str) else _sides(padding),
        _sides(node["dilation"]),
        groups,
    )
    assert module.bias is not None
    module.weight.copy_(weight)
    module.bias.copy_(bias.reshape(out))
    return module


def _linear(node: Tree, dt: float) -> nn.Module:
    weight = _tensor(node["weight"])
    out, into = weight.shape
    module = nn.Linear(into, out, bias="bias" in node)
    module.weight.copy_(weight)
    if "bias" in node:
        module.bias.copy_(_tensor(node["bias"]).reshape(out))
    return module


def _average(node: Tree, dt: float) -> nn.Module:
    return nn.AvgPool2d(_sides(node["kernel_size"]), _sides(node["stride"]), _sides(node["padding"]))


def _sum(node: Tree, dt: float) -> nn.Module:
    sides = (_sides(node["kernel_size"]), _sides(node["stride"]), _sides(node["padding"]))
    return nn.AvgPool2d(*sides, divisor_override=1)


def _flatten(node: Tree, dt: float) -> nn.Module:
    # NIR knows no axis of images; some writers count it all the same.
    if int(node["start_dim"]) not in (0, 1) or int(node["end_dim"]) not in (-1, 2):
        raise _Refused("flattens in part; flatten the whole map")
    return nn.Flatten()


def _lif(node: Tree, dt: float) -> nn.Module:
    tau = _floats(node["tau"])
    if (tau < dt * (1 - 1e-6)).any():
        raise _Refused(
            f"has a tau below the time step of {dt:g} s; give the step that it was made for with --dt"
        )
    if _floats(node["v_leak"]).any():
        raise _Refused("leaks towards another potential than 0; use v_leak = 0 and a bias before it")
    return _neuron(node, np.unique(1 - dt / tau), _floats(node["r"]) * dt / tau)


def _if(node: Tree, dt: float) -> nn.Module:
    return _neuron(node, np.ones(1), _floats(node["r"]))


def _neuron(node: Tree, beta: Floats, gain: Floats) -> nn.Module:
    if "v_reset" in node and _floats(node["v_reset"]).any():
        raise _Refused("resets to another potential than 0; use v_reset = 0")
    neuron: nn.Module = snntorch.Leaky(
        beta=torch.from_numpy(beta).float(),
        threshold=_by_channel(_floats(node["v_threshold"]) / gain),
        reset_mechanism="zero",
        reset_delay=False,
        init_hidden=True,
    )
    return neuron


def _by_channel(values: Floats) -> torch.Tensor:
    """One value for the map, or one a channel in the shape that maps have."""
    if (values == values.flat[0]).all():
        return torch.tensor(float(values.flat[0]))
    if values.ndim != 3:
        return torch.from_numpy(values).float()
    if not (values == values[:, :1, :1]).all():
        raise _Refused("has a threshold or r for each neuron; use one for the layer or each channel")
    return torch.from_numpy(values[:, :1, :1].copy()).float()


def _tensor(values: Any) -> torch.Tensor:
    return torch.from_numpy(_floats(values)).float()


def _floats(values: Any) -> Floats:
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).all() or found.size == 0:
        raise ValueError("not finite")
    return found


def _sides(values: Any) -> tuple[int, int]:
    found = np.broadcast_to(np.asarray(values), 2)
    if found.dtype.kind not in "iu":
        raise TypeError("not whole numbers")
    return int(found[0]), int(found[1])


_MODULES: dict[str, Callable[[Tree, float], nn.Module]] = {
    "Conv2d": _convolution,
    "Affine": _linear,
    "Linear": _linear,
    "AvgPool2d": _average,
    "SumPool2d": _sum,
    "Flatten": _flatten,
    "LIF": _lif,
    "IF": _if,
}
