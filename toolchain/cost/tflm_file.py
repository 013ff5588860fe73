"""Bytes of ``model_micro.tflite`` and its step form, part by part in the order in which they are written.

The sum is exact but for what the file says of the network, whose numbers are taken at their longest before training: it
is smaller than predicted by a byte or two for each channel, and never larger.
"""

from __future__ import annotations

import json

from toolchain import __version__
from toolchain.cost.amounts import Map
from toolchain.cost.facts import name_characters, neurons_characters
from toolchain.cost.flatbuffer_size import OFFSET_BYTES, Field, FlatbufferSize
from toolchain.cost.neurons import Neurons, dynamics
from toolchain.cost.tflm_program import Operation, Program, Value
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif

BUFFER_ALIGNMENT_BYTES = 16
"""``force_align`` of a buffer's content in the schema."""

DESCRIPTION, PLAN, FACTS, SUBGRAPH = (
    f"spikenas-deploy {__version__}",
    "OfflineMemoryAllocation",
    "spikenas",
    "main",
)
"""Texts that every file has."""

PLAN_WORDS = 3
"""What a plan of the arena begins with."""

_FACTS = (
    '{"format": "spikenas-artifact/1", "generator": "", "form": "", "profile": "", "graph_sha256": "", '
    '"time_steps": 8, "labels": , "preprocessing": , "neurons": {}}'
)
_HASH = 64
_CLASS_EXPONENT, _TASK, _EXPONENT = (
    '"score_exponent": -24, ',
    '"task": "regression", "score_exponents": [], ',
    "-54, ",
)

_BYTE, _WORD = 1, 4
_WINDOW: tuple[Field, ...] = ((1, _WORD), (2, _WORD))

_OPTIONS: dict[str, tuple[Field, ...]] = {
    "CAST": ((0, _BYTE), (1, _BYTE)),
    "CONCATENATION": ((0, _WORD),),
    "CONV_2D": _WINDOW,
    "DEPTHWISE_CONV_2D": (*_WINDOW, (3, _WORD)),
    "MAX_POOL_2D": (*_WINDOW, (3, _WORD), (4, _WORD)),
    "RESHAPE": ((0, OFFSET_BYTES),),
}
"""Options that are always stored, in the order in which they are written."""


def file_bytes(program: Program, graph: Graph, form: str, profile: str) -> int:
    """Size of the largest file of ``graph`` in a ``form`` ("unrolled" or "step"), which ``program`` computes."""
    file = FlatbufferSize()
    codes = list(dict.fromkeys(operation.kind for operation in program.operations))
    for kind in codes:
        # ADD is operator 0; of the others the number is stored twice, for old readers too.
        file.table(() if kind == "ADD" else ((0, _BYTE), (3, _WORD)))
    file.vector(len(codes), OFFSET_BYTES)
    _subgraph(file, program, codes)
    file.vector(1, OFFSET_BYTES)
    file.text(len(DESCRIPTION))
    _buffers(file, program, facts_characters(graph, form, profile))
    for name in (FACTS, PLAN):
        file.text(len(name))
        file.table(((0, OFFSET_BYTES), (1, _WORD)))
    file.vector(2, OFFSET_BYTES)
    file.table(tuple((number, OFFSET_BYTES) for number in (0, 1, 2, 3, 4, 6)))
    return file.finish()


def facts_characters(graph: Graph, form: str, profile: str) -> int:
    """Bytes that the file takes to say what it is, at their most."""
    head = graph.head
    scores = len(_TASK) + len(_EXPONENT) * head.classes - 2 if head.shifts else len(_CLASS_EXPONENT)
    neurons = 0
    for node in graph.all(Lif):
        how = dynamics(graph.time_steps, node.leak, node.reset)
        neurons += int(neurons_characters(Neurons(len(node.name), Map(*node.shape), how)))
    said = json.dumps(list(graph.labels)) + json.dumps(graph.preprocessing.to_dict())
    # Between nodes, and so not behind the last one, there are two characters.
    return (
        len(_FACTS)
        + len(DESCRIPTION)
        + len(form)
        + name_characters(profile)
        + _HASH
        + scores
        + neurons
        - len(", ")
        + len(said)
    )


def _subgraph(file: FlatbufferSize, program: Program, codes: list[str]) -> None:
    constants = 0
    for value in program.values:
        constants += value.constant is not None
        _tensor(file, value, constants)
    file.vector(len(program.values), OFFSET_BYTES)
    file.vector(len(program.inputs), _WORD)
    file.vector(len(program.outputs), _WORD)
    for operation in program.operations:
        _operator(file, operation, codes.index(operation.kind))
    file.vector(len(program.operations), OFFSET_BYTES)
    file.text(len(SUBGRAPH))
    file.table(tuple((number, OFFSET_BYTES) for number in range(5)))


def _tensor(file: FlatbufferSize, value: Value, number: int) -> None:
    file.vector(len(value.shape), _WORD)
    fields: list[Field] = [(0, OFFSET_BYTES), (1, _BYTE)]
    if value.constant is not None and number:
        fields.append((2, _WORD))
    if value.name:
        file.text(len(value.name.encode()))
        fields.append((3, OFFSET_BYTES))
    if value.scales:
        file.vector(value.scales, 4)
        file.vector(value.scales, 8)
        file.table(((2, OFFSET_BYTES), (3, OFFSET_BYTES), *(((6, _WORD),) if value.axis else ())))
        fields.append((4, OFFSET_BYTES))
    file.table(fields)


def _operator(file: FlatbufferSize, operation: Operation, code: int) -> None:
    file.vector(len(operation.inputs), _WORD)
    file.vector(1, _WORD)
    if operation.kind == "RESHAPE":
        file.vector(2, _WORD)
    options = _OPTIONS.get(operation.kind, ())
    # The first choice of each, SAME and no activation, is the default.
    if operation.options.get("padding") or operation.options.get("fusedActivationFunction"):
        options = ((0, _BYTE), *options)
    file.table(options)
    first = ((0, _WORD),) if code else ()
    file.table((*first, (1, OFFSET_BYTES), (2, OFFSET_BYTES), (3, _BYTE), (4, OFFSET_BYTES)))


def _buffers(file: FlatbufferSize, program: Program, characters: int) -> None:
    """An empty one, the constants, what the file says, and the plan of the arena."""
    sizes = [value.size_bytes for value in program.values if value.constant is not None]
    sizes += [characters, _WORD * (PLAN_WORDS + len(program.values))]
    file.table(())
    for size in sizes:
        file.vector(size, 1, BUFFER_ALIGNMENT_BYTES)
        file.table(((0, OFFSET_BYTES),))
    file.vector(1 + len(sizes), OFFSET_BYTES)
