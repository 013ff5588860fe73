"""An ONNX file's structure, whoever wrote it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from toolchain.framing.mapped import mapped, reading
from toolchain.framing.onnx_parts import Parts, read_parts
from toolchain.inspecting.kinds import kinds
from toolchain.inspecting.own_facts import neurons
from toolchain.inspecting.structure import Structure, Tensor, largest_first, shares, with_states

MAX_PROPERTY = 200
"""Longest metadata of another's file that is shown."""


def inspect_onnx(path: Path) -> Structure:
    """The structure of ``path``; raises ``InputError`` if it is no ONNX file, or hostile."""
    with mapped(path) as content, reading(path, "an ONNX"):
        parts, size = read_parts(content), len(content)
    sizes = {constant.name: constant.size_bytes for constant in parts.constants}
    kind = kinds(parts.operators, sizes)
    tensors = largest_first(
        Tensor(each.name, each.dtype, each.shape, each.size_bytes, kind[each.name])
        for each in parts.constants
    )
    inputs, outputs, states = with_states(
        # Older files list their constants among the inputs.
        (value for value in parts.inputs if value.name not in sizes),
        parts.outputs,
    )
    stated = [(tensor.kind, tensor.size_bytes) for tensor in tensors]
    facts, own = _facts(parts, path)
    elsewhere = sum(constant.elsewhere for constant in parts.constants)
    return Structure(
        path,
        "ONNX",
        size,
        inputs,
        outputs,
        states,
        dict(Counter(operator.name for operator in parts.operators).most_common()),
        tensors,
        shares(size, [*stated, ("metadata", parts.metadata_bytes)]),
        neurons(facts, str(path)) if own else (),
        facts={
            "ir_version": parts.ir_version,
            "opsets": parts.opsets,
            "producer": parts.producer,
            **facts,
        },
        notes=(f"{elsewhere} tensors are kept in other files, which were not opened",) if elsewhere else (),
    )


def _facts(parts: Parts, path: Path) -> tuple[dict[str, object], bool]:
    """(what the metadata states, whether it is ours)."""
    from exporters import metadata

    if f"{metadata.KEY}.format" in parts.properties:
        return metadata.from_texts(parts.properties, str(path)), True
    return {key: value[:MAX_PROPERTY] for key, value in parts.properties.items()}, False
