"""A safetensors file's structure, from its header alone."""

from __future__ import annotations

from math import prod
from pathlib import Path

from toolchain.framing.mapped import mapped, reading
from toolchain.framing.safetensors_header import read_header
from toolchain.inspecting.structure import Kind, Structure, Tensor, largest_first, shares


def inspect_safetensors(path: Path) -> Structure:
    """The structure of ``path``; raises ``InputError`` if it is no safetensors file, or hostile."""
    with mapped(path) as content, reading(path, "a safetensors"):
        stored, texts = read_header(content)
        size = len(content)
    tensors = largest_first(Tensor(*each, _kind(each.name, each.shape)) for each in stored)
    return Structure(
        path,
        "safetensors",
        size,
        tensors=tensors,
        by_kind=shares(size, [(tensor.kind, tensor.size_bytes) for tensor in tensors]),
        facts=texts,
    )


def _kind(name: str, shape: tuple[int, ...]) -> Kind:
    """By the names that torch and this toolchain give."""
    if name.endswith("bias"):
        return "biases"
    return "weights" if name.endswith("weight") and prod(shape) > 1 else "constants"
