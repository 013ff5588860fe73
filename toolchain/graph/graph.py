"""The ``Graph``: one description of an integer spiking network that every other room reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toolchain.graph.nodes import Array, Head, Input, Lif, Node, OrPool, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.measures import Task

MAX_TIME_STEPS = 8
"""Bit planes, and so time steps, that a layer-major kernel holds for one neuron."""

AnyNode = TypeVar("AnyNode", Input, Lif, OrPool, Head)


@dataclass(frozen=True, eq=False)
class Graph:
    """A feed-forward spiking network: nodes in an order in which each comes after its sources.

    The first node is the ``Input``, the last the ``Head``. ``labels`` names the classes,
    or the numbers of a regression; ``preprocessing`` turns a raw image into the input's pixels.
    """

    nodes: tuple[Node, ...]
    time_steps: int
    preprocessing: Preprocessing
    labels: tuple[str, ...]

    @property
    def input(self) -> Input:
        """The node that holds the pixels."""
        return next(self.all(Input))

    @property
    def head(self) -> Head:
        """The node that gives the scores."""
        return next(self.all(Head))

    def all(self, kind: type[AnyNode]) -> Iterator[AnyNode]:
        """Yield the nodes of one type in order."""
        return (node for node in self.nodes if isinstance(node, kind))

    def node(self, name: str) -> Node:
        """Return the node called ``name``; raises ``KeyError`` if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def source_shape(self, name: str) -> Shape:
        """Shape of the map that node ``name`` gives to those that read it."""
        node = self.node(name)
        if isinstance(node, Head):
            raise KeyError(f"{name} is the head; nothing reads it")
        return node.shape

    def head_features(self) -> int:
        """Number of spike counts that the head reads."""
        shape = self.source_shape(self.head.source)
        return shape.channels if self.head.features == "count" else shape.size

    @property
    def task(self) -> Task:
        """What the scores mean: the highest is the image's class, or each is a number."""
        return "regression" if self.head.shifts else "classification"

    def score_exponents(self) -> tuple[int, ...]:
        """Exponent e of each score, whose value is score / 2**e; raises ``ValueError`` without weights."""
        head = self.head
        if head.exponent is None:
            raise ValueError(f"{head.name}.exponent is not set: the network has no weights yet")
        return tuple(head.exponent - shift for shift in head.shifts or (0,) * head.classes)

    def values(self, scores: NDArray[np.int32]) -> NDArray[np.float64]:
        """Scores [n, outputs] as values: of a regression, in the numbers' own units."""
        values: NDArray[np.float64] = np.ldexp(
            scores.astype(np.float64), -np.array(self.score_exponents(), np.int64)
        )
        return values

    @property
    def has_weights(self) -> bool:
        """Whether every array of every node is set, and the exponent of the head."""
        return not self.missing_weights()

    def missing_weights(self) -> list[str]:
        """Names, as ``arrays`` gives them, of the trained values that are not set."""
        missing = [name for name, array in arrays(self) if array is None]
        return missing + [f"{head.name}.exponent" for head in self.all(Head) if head.exponent is None]

    def sha256(self) -> str:
        """Hash of all that decides the network's outputs: structure, constants, weights, preprocessing."""
        from toolchain.graph.storage import description  # storage reads this module

        digest = hashlib.sha256(repr(description(self)).encode())
        for name, array in arrays(self):
            if array is not None:
                digest.update(name.encode() + b"\0" + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def sources(node: Node) -> tuple[str, ...]:
    """Names of the nodes that ``node`` reads."""
    if isinstance(node, Lif):
        return tuple(edge.source for edge in node.edges)
    return () if isinstance(node, Input) else (node.source,)


def arrays(graph: Graph) -> Iterator[tuple[str, Array | None]]:
    """Yield every array field as (``node.field`` or ``node.edge_index.field``, array or None)."""
    for node in graph.nodes:
        for name in _array_fields(node):
            # Weights of 8 bits have no shift, so none is missing.
            if name != "code_shift" or getattr(node, "bits", 8) != 8:
                yield f"{node.name}.{name}", getattr(node, name)
        if isinstance(node, Lif):
            for index, edge in enumerate(node.edges):
                for name in _array_fields(edge):
                    yield f"{node.name}.{index}.{name}", getattr(edge, name)


def _array_fields(item: object) -> list[str]:
    return [field.name for field in fields(item) if "Array" in str(field.type)]  # type: ignore[arg-type]
