from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.graphs import random_graph
from toolchain.graph.bounds import max_count
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Leak, Lif
from toolchain.graph.streams import COUNT_MAX, SCORE_MAX, stream_limit

SEEDS = range(30)
LEAKING = next(
    graph for graph in map(random_graph, SEEDS) if stream_limit(graph).why.startswith("the counts")
)


def with_head(graph: Graph, **changes: object) -> Graph:
    return replace(graph, nodes=(*graph.nodes[:-1], replace(graph.head, **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_has_at_least_the_network_s_own_time_steps(seed: int) -> None:
    graph = random_graph(seed)
    positions = max_count(graph) // graph.time_steps
    assert graph.time_steps <= stream_limit(graph).steps <= COUNT_MAX // positions


def test_counts_end_every_stream() -> None:
    assert stream_limit(LEAKING).steps == COUNT_MAX // (max_count(LEAKING) // LEAKING.time_steps)


def test_scores_end_those_whose_head_is_large() -> None:
    head = LEAKING.head
    bias = np.full(head.classes, SCORE_MAX, np.int64)
    bias -= 1000 * np.abs(head.weight.astype(np.int64)).sum(1) * (max_count(LEAKING) // LEAKING.time_steps)
    assert (bias > 0).all()
    found = stream_limit(with_head(LEAKING, bias=bias.astype(np.int32)))
    assert found == (1000, "the scores of head are of 32 bits")


def test_potentials_end_those_that_do_not_leak() -> None:
    nodes = [replace(node, leak=Leak("none", 1)) if isinstance(node, Lif) else node for node in LEAKING.nodes]
    found = stream_limit(replace(LEAKING, nodes=tuple(nodes)))
    assert found.steps < stream_limit(LEAKING).steps
    assert found.why.startswith("the membrane potentials of ")
