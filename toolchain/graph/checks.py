"""What makes a Graph valid: every rule of ``toolchain.graph.rules`` holds.

``findings`` collects all that are broken, so that a user sees the whole list at once. A Graph without findings can be
interpreted, exported and linked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.rules import Broken, numbers, structure


@dataclass(frozen=True)
class Finding:
    """One broken rule: ``rule`` is the rule's function name, ``node`` where, ``message`` what and how to mend it."""

    rule: str
    node: str
    message: str

    def __str__(self) -> str:
        return f"{self.node}: {self.message} [{self.rule}]"


# Later rules may look up what earlier ones have made sure of, so a stage with findings ends the list.
STAGES: tuple[tuple[Callable[[Graph], Broken], ...], ...] = (
    (structure.names, structure.order, structure.sizes),
    (structure.used, structure.connections, structure.pixels, structure.frames),
    (structure.shapes, numbers.constants, numbers.widths),
    (numbers.array_forms,),
    (numbers.stored, numbers.no_saturation),
)


def findings(graph: Graph) -> list[Finding]:
    """Return every broken rule of the first stage that has any; an empty list means the graph is valid."""
    for stage in STAGES:
        found = [Finding(rule.__name__, node, text) for rule in stage for node, text in rule(graph)]
        if found:
            return found
    return []


def require_valid(graph: Graph, origin: str, *, weights: bool = False) -> None:
    """Raise ``InputError`` with every finding; with ``weights`` also if the network has none yet."""
    found = findings(graph)
    if found:
        raise InputError(f"{origin} is not a valid network: " + "; ".join(map(str, found)))
    missing = graph.missing_weights() if weights else []
    if missing:
        raise InputError(
            f"{origin} has no trained weights ({missing[0]} is missing); run `spikenas-deploy train` first"
        )
