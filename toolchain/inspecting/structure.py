"""What ``inspect`` tells of any artifact, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from toolchain.framing.parts import Shape, Value

Kind = Literal["weights", "biases", "constants", "metadata", "code", "buffers", "structure"]
"""What bytes are. ``buffers`` are in SRAM alone; ``structure`` is all of a file that is nothing else: operators,
names, headers, padding."""


@dataclass(frozen=True)
class Tensor:
    """Values that are stored in the file, in ``size_bytes`` of it."""

    name: str
    dtype: str
    shape: Shape
    size_bytes: int
    kind: Kind


@dataclass(frozen=True)
class Neurons:
    """The neurons of a node: each pair is the least and the greatest of its channels."""

    node: str
    leak: str
    reset: str
    exponents: tuple[int, int]
    thresholds: tuple[int, int]


@dataclass(frozen=True)
class MemorySymbol:
    """A name of a linked image: where it runs, and what it takes of flash and of SRAM."""

    name: str
    section: str
    address: int
    flash_bytes: int
    sram_bytes: int
    kind: Kind


@dataclass(frozen=True)
class Loaded:
    """Bytes that a programmer writes in one piece, from ``address`` on."""

    address: int
    size_bytes: int


@dataclass(frozen=True)
class Structure:
    """An inspected file. ``by_kind`` adds up to ``size_bytes``; ``facts`` are what its metadata states.

    ``sections`` of an image are name -> (flash bytes, SRAM bytes); of one without names ``loaded`` is all there is.
    """

    path: Path
    format: str
    size_bytes: int
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    states: tuple[Value, ...] = ()
    operators: dict[str, int] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()
    by_kind: dict[Kind, int] = field(default_factory=dict)
    neurons: tuple[Neurons, ...] = ()
    sections: dict[str, tuple[int, int]] = field(default_factory=dict)
    symbols: tuple[MemorySymbol, ...] = ()
    loaded: tuple[Loaded, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self) | {"path": str(self.path)}


def shares(size_bytes: int, parts: Iterable[tuple[Kind, int]]) -> dict[Kind, int]:
    """Bytes by kind of a file of ``size_bytes``: what ``parts`` leave of it is its structure."""
    found: dict[Kind, int] = {}
    for kind, count in parts:
        found[kind] = found.get(kind, 0) + count
    found["structure"] = size_bytes - sum(found.values())
    return {kind: count for kind, count in found.items() if count}


def largest_first(tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Tensors in the order in which they are shown."""
    return tuple(sorted(tensors, key=lambda tensor: (-tensor.size_bytes, tensor.name)))


def with_states(
    inputs: Iterable[Value], outputs: Iterable[Value], suffix: str = ".next"
) -> tuple[tuple[Value, ...], tuple[Value, ...], tuple[Value, ...]]:
    """(inputs, outputs, states): an input is a state if an output of its name and ``suffix`` gives its successor."""
    given, came = tuple(inputs), tuple(outputs)
    names = {value.name for value in given} & {
        value.name.removesuffix(suffix) for value in came if value.name.endswith(suffix)
    }
    return (
        tuple(value for value in given if value.name not in names),
        tuple(value for value in came if value.name.removesuffix(suffix) not in names),
        tuple(value for value in given if value.name in names),
    )
