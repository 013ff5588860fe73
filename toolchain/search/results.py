"""What a search returns: the network, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.architecture.text import AnyArchitecture
from toolchain.graph.graph import Graph
from toolchain.search.algorithms.base import Found


@dataclass(frozen=True)
class SearchResult:
    """The winner, all that the algorithm ``found``, and the seconds it took.

    ``graph`` is the winner's, without weights; networks of the ``snasnet`` space have none.
    """

    algorithm: str
    architecture: AnyArchitecture
    graph: Graph | None
    found: Found
    seconds: float
