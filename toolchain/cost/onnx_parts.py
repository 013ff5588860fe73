"""Bytes of the parts of an ONNX file, which is one protobuf message.

A message is a list of fields: a tag of a byte (two from field 16 on), for texts and messages their length, and the
content (protobuf.dev, Encoding).
"""

from __future__ import annotations

from toolchain.cost.amounts import Amount


def varint(number: Amount) -> Amount:
    """A number or a length: seven of its bits a byte; messages end below 2 GiB."""
    return 1 + (number >= 1 << 7) + (number >= 1 << 14) + (number >= 1 << 21) + (number >= 1 << 28)


def extent(channels: Amount) -> Amount:
    """An extent, below 2**14, of a tensor."""
    return 2 + (channels >= 1 << 7)


def tensor(name: Amount, extents_bytes: Amount, content_bytes: Amount) -> Amount:
    """A constant with a name of this length."""
    size = 2 + extents_bytes + 2 + name + 1 + varint(content_bytes) + content_bytes
    return 1 + varint(size) + size


def attribute(name: str, numbers: int = 1) -> int:
    """An attribute of so many numbers below 128."""
    return 7 + len(name) + 2 * numbers


def operator(
    kind: str, inputs: tuple[Amount, ...], output: Amount, attributes: Amount = 0, more: Amount = 0
) -> Amount:
    """An operator that is called like its output; it may have ``more`` bytes that are counted elsewhere."""
    size = 2 + len(kind) + 2 * (2 + output) + attributes
    for name in inputs:
        size = size + 2 + name
    return 1 + varint(size + more) + size


CONVOLUTION = attribute("kernel_shape", 2) + attribute("strides", 2) + attribute("pads", 4)
POOLING = attribute("kernel_shape", 2) + attribute("strides", 2)
"""Attributes of a convolution, and of a pooling that makes a map smaller."""
