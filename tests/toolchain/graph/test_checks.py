"""Findings of all rules together; each rule is broken in a test of its own, and random graphs break none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.graphs import random_graph
from tests.toolchain.graph.rules import test_numbers, test_structure
from tests.toolchain.graph.rules.sound import STEM, framed, graph, lif
from toolchain.errors import InputError
from toolchain.graph import checks
from toolchain.graph.nodes import Leak, Shape, Skip


def test_a_shift_is_trained_with_the_weights_it_belongs_to() -> None:
    bare = graph(bits=4)
    checks.require_valid(bare, "net.json")
    with pytest.raises(InputError, match=r"no trained weights \(head.code_shift is missing\)"):
        checks.require_valid(bare, "net.json", weights=True)


def test_the_sound_graph_that_the_broken_ones_come_from_has_no_finding() -> None:
    assert checks.findings(graph()) == checks.findings(framed(4)) == checks.findings(framed(1)) == []


def test_every_rule_has_a_broken_case_and_a_docstring() -> None:
    rules = {rule for stage in checks.STAGES for rule in stage}
    assert rules == {rule for rule, _, _ in (*test_structure.BROKEN, *test_numbers.BROKEN)}
    assert all(rule.__doc__ for rule in rules)


def test_all_findings_are_reported_at_once() -> None:
    broken = graph(
        replace(STEM, leak=Leak("subtract", 0), reset="never"),
        lif("node", Skip("stem"), shape=Shape(3, 4, 4)),
    )
    assert len(checks.findings(broken)) == 3


def test_require_valid_names_origin_and_missing_weights() -> None:
    with pytest.raises(InputError, match=r"net\.json is not a valid network: .*9 time steps"):
        checks.require_valid(graph(time_steps=9), "net.json")
    with pytest.raises(InputError, match="no trained weights"):
        checks.require_valid(graph(weight=None), "net.json", weights=True)


def test_a_head_without_exponent_has_no_trained_weights() -> None:
    bare = graph(exponent=None)
    checks.require_valid(bare, "net.json")
    assert graph().has_weights and not bare.has_weights
    with pytest.raises(InputError, match=r"no trained weights \(head.exponent is missing\)"):
        checks.require_valid(bare, "net.json", weights=True)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_are_valid(seed: int) -> None:
    assert checks.findings(random_graph(seed)) == []
