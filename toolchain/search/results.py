"""What a search returns: the network, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.architecture.architecture import Architecture
from toolchain.graph.graph import Graph
from toolchain.search.algorithms.base import Found


@dataclass(frozen=True)
class SearchResult:
    """The winner with its weightless ``graph``, all that the algorithm ``found``, and the seconds it took."""

    algorithm: str
    architecture: Architecture
    graph: Graph
    found: Found
    seconds: float
