from __future__ import annotations

from toolchain.architecture.cells import Cell, canonical_cells
from toolchain.search.scoring.prefixes import Prefix, by_prefix


def test_84_maps_at_node_2_serve_all_cells() -> None:
    groups = by_prefix(canonical_cells())
    assert sum(prefix.exists for prefix in groups) == 84 and len(groups) == 85
    assert sorted(index for indices in groups.values() for index in indices) == list(range(7556))
    assert [prefix.first for prefix in groups] == sorted(prefix.first for prefix in groups)


def test_node_1_counts_where_node_2_reads_it() -> None:
    assert Prefix.of(Cell.parse("213012")) == Prefix.of(Cell.parse("413031"))
    assert Prefix.of(Cell.parse("213112")) != Prefix.of(Cell.parse("413112"))
    assert not Prefix.of(Cell.parse("303030")).exists
