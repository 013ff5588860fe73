"""A TFLite file's structure, whoever wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolchain.framing.mapped import Content, mapped, reading
from toolchain.framing.parts import Operator, Value
from toolchain.framing.tflite_parts import Part, Parts, Subgraph, read_parts
from toolchain.inspecting.kinds import kinds
from toolchain.inspecting.own_facts import neurons
from toolchain.inspecting.structure import (
    Kind,
    Structure,
    Tensor,
    largest_first,
    shares,
    with_states,
)

MAX_DESCRIPTION = 200
"""Longest description that is shown."""


def inspect_tflite(path: Path) -> Structure:
    """The structure of ``path``; raises ``InputError`` if it is no TFLite file, or hostile."""
    with mapped(path) as content, reading(path, "a TFLite"):
        parts, size = read_parts(content), len(content)
        own = _own_facts(parts, content, path)
    names = _operator_names(parts)
    # Tensors may share a buffer, which is in the file once.
    stored: dict[tuple[int, int], Kind] = {}
    tensors: list[Tensor] = []
    for graph in parts.subgraphs:
        for tensor, place in _tensors(graph, names):
            tensors.append(tensor)
            stored.setdefault(place, tensor.kind)
    for place in parts.metadata.values():
        stored.setdefault(place, "metadata")
    main = parts.subgraphs[0]
    inputs, outputs, paired = with_states(
        (_value(main.tensors[index]) for index in main.inputs),
        (_value(main.tensors[index]) for index in main.outputs),
    )
    variables = tuple(_value(part) for graph in parts.subgraphs for part in graph.tensors if part.variable)
    operators = Counter(names[code] for graph in parts.subgraphs for code, _, _ in graph.operators)
    return Structure(
        path,
        "TFLite",
        size,
        inputs,
        outputs,
        (*paired, *variables),
        dict(operators.most_common()),
        largest_first(tensors),
        shares(size, [(kind, end - start) for (start, end), kind in stored.items()]),
        neurons(own, str(path)) if own else (),
        facts={"description": parts.description[:MAX_DESCRIPTION], **own},
    )


def _tensors(graph: Subgraph, names: list[str]) -> Iterator[tuple[Tensor, tuple[int, int]]]:
    """The stored tensors of a graph, each with the range of its content."""
    sizes = {
        str(index): part.content[1] - part.content[0]
        for index, part in enumerate(graph.tensors)
        if part.content[0] != part.content[1]
    }
    operators = (
        Operator(names[code], _keys(inputs), _keys(outputs)) for code, inputs, outputs in graph.operators
    )
    found = kinds(operators, sizes)
    for key, size in sizes.items():
        part = graph.tensors[int(key)]
        kind = "biases" if found[key] == "constants" and part.name.endswith("bias") else found[key]
        yield Tensor(part.name, part.dtype, part.shape, size, kind), part.content


def _keys(indices: tuple[int, ...]) -> tuple[str, ...]:
    return tuple("" if index < 0 else str(index) for index in indices)


def _value(part: Part) -> Value:
    return Value(part.name, part.dtype, part.shape)


def _operator_names(parts: Parts) -> list[str]:
    """What the operators are called: by the schema, if it is installed, or by their number."""
    try:
        from ai_edge_litert.schema_py_generated import BuiltinOperator
    except (ImportError, OSError):
        known = {}
    else:
        known = {number: name for name, number in vars(BuiltinOperator).items() if isinstance(number, int)}
    return [own or known.get(code, f"operator {code}") for code, own in parts.codes]


def _own_facts(parts: Parts, content: Content, path: Path) -> dict[str, Any]:
    """The facts that our own files state; empty for those of others."""
    from exporters import metadata

    if metadata.KEY not in parts.metadata:
        return {}
    start, end = parts.metadata[metadata.KEY]
    # Before it is copied: larger facts are never parsed.
    text = content[start : min(end, start + metadata.MAX_FACTS_BYTES + 1)]
    return metadata.parse(metadata.from_json(text, str(path)), str(path))
