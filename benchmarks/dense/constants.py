"""The C constants of a dense network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.dense.network import DenseNetwork, Layer
from benchmarks.dense.packing import Order, groups, packed_weights, rows
from toolchain.cost.arena import Buffer, arena_bytes
from toolchain.errors import InputError


def constants(network: DenseNetwork, placed: Mapping[str, Buffer], order: Order) -> Iterator[str]:
    """The arena and every constant of ``network``, whose buffers are ``placed``.

    Raises ``InputError`` if a layer has an odd number of channels.
    """
    shapes = {network.input: network.pixels} | {layer.name: layer.shape for layer in network.layers}
    widest = max(network.shape(layer.name).channels for layer in network.layers)
    yield f"uint8_t DENSE_ALIGNED net_arena[{arena_bytes(list(placed.values()))}];"
    yield _array("uint8_t", "zeros", np.zeros(widest, np.uint8))
    for layer in network.layers:
        if isinstance(layer, Layer):
            yield from _layer(network, layer, placed, packed_weights(layer, shapes, order))
        else:
            source = shapes[layer.source]
            fields = (
                placed[layer.source].offset_bytes,
                placed[layer.name].offset_bytes,
                layer.shape.height,
                layer.shape.width,
                layer.shape.channels,
                source.width,
            )
            yield _struct("dense_max_pool", layer.name, fields)
    yield from _head(network, placed)


def _layer(
    network: DenseNetwork, layer: Layer, placed: Mapping[str, Buffer], weights: NDArray[np.int16]
) -> Iterator[str]:
    name, shape = layer.name, layer.shape
    if shape.channels % 2:
        raise InputError(
            f"{name} has {shape.channels} channels, and the dense kernels compute two at a time; "
            "measure a network whose layers have even numbers of channels"
        )
    yield _array("int8_t" if weights.min() < 0 else "uint8_t", f"{name}_weights", weights)
    yield _array("int32_t", f"{name}_bias", layer.bias)
    yield _array("int32_t", f"{name}_multiplier", layer.multiplier)
    edges = []
    for edge in layer.convolutions:
        source, taps = network.shape(edge.source), rows(network, edge)
        offset = "DENSE_IMAGE" if edge.source == network.input else placed[edge.source].offset_bytes
        edges.append(
            (offset, source.height, source.width, source.channels, edge.kernel, edge.stride)
            + (int(taps.padded), taps.row_groups, taps.groups)
        )
    yield _structs("dense_edge", f"{name}_edges", edges)
    addends = []
    for index, addend in enumerate(layer.addends):
        yield _array("int32_t", f"{name}_factor{index}", addend.factor)
        addends.append((placed[addend.source].offset_bytes, addend.window, f"net_{name}_factor{index}"))
    yield _structs("dense_addend", f"{name}_addends", addends)
    pointers = (
        f"net_{name}_edges" if edges else 0,
        f"net_{name}_addends" if addends else 0,
        f"(const void *)net_{name}_weights",
        f"net_{name}_bias",
        f"net_{name}_multiplier",
        "net_zeros",
    )
    offsets = (
        placed[part].offset_bytes
        for part in (name, *(f"{name}_{x}" for x in ("column", "start", "gathered", "spare")))
    )
    extents = (shape.height, shape.width, shape.channels, groups(network, layer))
    yield _struct("dense_layer", name, (*pointers, len(edges), len(addends), *offsets, *extents))


def _head(network: DenseNetwork, placed: Mapping[str, Buffer]) -> Iterator[str]:
    head, source = network.head, network.shape(network.head.source)
    weight = head.weight
    if head.features == "flatten":
        by_position = weight.reshape(len(weight), *source).transpose(0, 2, 3, 1)
        weight = np.ascontiguousarray(by_position.reshape(len(weight), -1))
    yield _array("int8_t", "head_weights", weight.ravel())
    yield _array("int32_t", "head_bias", head.bias)
    positions = source.height * source.width if head.features == "count" else 1
    offsets = placed[head.source].offset_bytes, placed[f"{head.name}_sums"].offset_bytes
    fields = ("net_head_weights", "net_head_bias", *offsets, weight.shape[1], positions, len(weight))
    yield _struct("dense_head", head.name, fields)


def known_answer(image: NDArray[np.uint8], scores: NDArray[np.int32]) -> Iterator[str]:
    """An image uint8 [C, H, W] and its scores."""
    yield _array("uint8_t", "known_image", np.moveaxis(image, -3, -1).ravel())
    yield _array("int32_t", "known_scores", scores)


def _array(kind: str, name: str, values: NDArray) -> str:
    numbers = ", ".join(map(str, values.ravel().tolist()))
    # Rows begin where a line of flash does.
    return f"const {kind} __attribute__((aligned(16))) net_{name}[{values.size}] = {{{numbers}}};"


def _struct(kind: str, name: str, fields: tuple[object, ...]) -> str:
    return f"static const {kind} net_{name}_node = {{{', '.join(map(str, fields))}}};"


def _structs(kind: str, name: str, items: list[tuple[object, ...]]) -> str:
    if not items:
        return ""
    text = ", ".join("{" + ", ".join(map(str, fields)) + "}" for fields in items)
    return f"static const {kind} net_{name}[{len(items)}] = {{{text}}};"
