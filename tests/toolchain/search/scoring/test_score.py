from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolchain.search.scoring import naive
from toolchain.architecture.cells import Cell, Operation, canonical_cells, distinct_cells
from toolchain.graph.nodes import Leak
from toolchain.search.scoring import score
from toolchain.search.scoring.compiled import Compiled
from toolchain.search.scoring.placement import PUBLISHED_LEAK
from toolchain.search.scoring.results import SCORES, CellScores
from toolchain.search.scoring.score import score_cells
from toolchain.search.scoring.tensors import Tensors
from toolchain.search.scoring.weights import draw, sample

LEAKS = [Leak("subtract", 1), Leak("subtract", 3), Leak("shift", 2), Leak("none")]
SAMPLED = [cell for index, cell in enumerate(canonical_cells()) if index % 251 == 17]
EVERYTHING = Cell.parse("333333")


def spikes(shape: tuple[int, ...], seed: int = 0, density: float = 0.3) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < density).to(torch.uint8)


def values(shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 1.5


def table(scores: CellScores) -> np.ndarray[Any, Any]:
    return np.stack([getattr(scores, name) for name in SCORES], 1)


def source_for(placement: str, shape: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, dict[str, Any]]:
    if placement == "node":
        return spikes(shape, seed), {"leak": Leak("subtract", 1), "reset": "subtract"}
    return values(shape, seed), {"leak": PUBLISHED_LEAK, "reset": "zero", "placement": "edge"}


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("backend", [Compiled(), Tensors()], ids=["compiled", "torch"])
def test_spiking_nodes_equal_one_cell_at_a_time(backend: Any, leak: Leak, reset: Any) -> None:
    source = spikes((3, 6, 4, 5, 6))
    found = score_cells(source, leak=leak, reset=reset, seed=5, cells=SAMPLED, backend=backend, device="cpu")
    weights = draw(4, 5)
    for cell, ours in zip(SAMPLED, table(found), strict=True):
        maps = naive.node_lif_maps(cell, source.numpy().astype(np.int64), weights, leak, reset)
        assert ours == pytest.approx(naive.scores(maps), rel=1e-9, abs=1e-9), cell


@pytest.mark.parametrize("backend", [Compiled(), Tensors()], ids=["compiled", "torch"])
def test_spiking_edges_equal_one_cell_at_a_time(backend: Any) -> None:
    source, how = source_for("edge", (4, 6, 3, 5, 6))
    found = score_cells(source, seed=5, cells=SAMPLED, backend=backend, device="cpu", **how)
    weights = draw(3, 5)
    for cell, ours in zip(SAMPLED, table(found), strict=True):
        maps = naive.edge_lif_maps(cell, source.numpy(), weights, PUBLISHED_LEAK, "zero")
        assert ours == pytest.approx(naive.scores(maps), rel=1e-9, abs=1e-9), cell


@pytest.mark.parametrize("placement", ["node", "edge"])
@pytest.mark.parametrize("neurons", [None, 70])
def test_torch_and_the_compiled_kernel_give_equal_scores_for_all_cells(
    placement: str, neurons: int | None
) -> None:
    source, how = source_for(placement, (3, 5, 5, 7, 6))
    compiled, plain = (
        score_cells(source, seed=2, neurons=neurons, backend=backend, device="cpu", **how)
        for backend in (Compiled(), Tensors())
    )
    assert compiled.cells == plain.cells == distinct_cells()
    assert np.array_equal(table(compiled), table(plain))
    assert compiled.convolutions == plain.convolutions == 190
    assert compiled.neurons == plain.neurons == (neurons or 5 * 7 * 6)


@settings(max_examples=10)
@given(
    st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    st.integers(0, 1000),
    st.sampled_from(["node", "edge"]),
    st.sampled_from([None, 1, 64, 100]),
)
def test_any_extent_gives_equal_scores(
    shape: tuple[int, ...], seed: int, placement: str, neurons: int | None
) -> None:
    source, how = source_for(placement, shape, seed)
    one, other = (
        score_cells(source, seed=seed, cells=SAMPLED, neurons=neurons, backend=backend, device="cpu", **how)
        for backend in (Compiled(), Tensors())
    )
    assert np.array_equal(table(one), table(other))


@pytest.mark.parametrize("placement", ["node", "edge"])
def test_a_sample_is_scored_as_if_there_were_no_other_neurons(placement: str) -> None:
    source, how = source_for(placement, (3, 5, 4, 6, 5))
    found = score_cells(source, seed=9, neurons=50, cells=SAMPLED[:8], device="cpu", **how)
    chosen = sample(4 * 6 * 5, 50, 9)
    assert chosen is not None and found.neurons == len(set(chosen.tolist())) == 50
    maps_of = naive.node_lif_maps if placement == "node" else naive.edge_lif_maps
    read = source.numpy().astype(np.int64) if placement == "node" else source.numpy()
    for cell, ours in zip(SAMPLED[:8], table(found), strict=True):
        maps = maps_of(cell, read, draw(4, 9), how["leak"], how["reset"])
        assert ours == pytest.approx(naive.scores(maps, chosen.numpy()), rel=1e-9, abs=1e-9)


def test_a_sample_depends_on_the_seed_alone() -> None:
    def drawn(seed: int) -> torch.Tensor:
        chosen = sample(1000, 20, seed)
        assert chosen is not None
        return chosen

    torch.manual_seed(1)
    first = drawn(3)
    torch.manual_seed(2)
    assert torch.equal(drawn(3), first) and not torch.equal(drawn(4), first)
    assert sample(20, 20, 3) is None and sample(20, None, 3) is None
    with pytest.raises(ValueError, match="at least one neuron"):
        sample(20, 0, 3)


@pytest.mark.parametrize("placement", ["node", "edge"])
def test_a_cells_scores_do_not_depend_on_the_cells_beside_it(placement: str) -> None:
    source, how = source_for(placement, (2, 5, 4, 6, 6))
    everything = score_cells(source, seed=1, cells=canonical_cells(), device="cpu", **how)
    of_all = dict(zip(everything.cells, table(everything), strict=True))
    for cell in SAMPLED:
        alone = score_cells(source, seed=1, cells=[cell], device="cpu", **how)
        assert np.array_equal(table(alone)[0], of_all[cell])
        assert alone.convolutions <= 6
    backward = score_cells(source, seed=1, cells=SAMPLED[::-1], device="cpu", **how)
    assert np.array_equal(table(backward)[::-1], np.stack([of_all[cell] for cell in SAMPLED]))


def test_nodes_that_change_places_with_their_weights_score_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = [cell for cell in canonical_cells() if cell.representative != cell][::97]
    originals = [cell.representative for cell in twins]
    source = spikes((3, 5, 4, 6, 6))
    how: dict[str, Any] = {"leak": Leak("subtract", 2), "reset": "subtract", "seed": 4, "device": "cpu"}
    expected = table(score_cells(source, cells=originals, **how))
    moved = {(0, 1): (0, 2), (0, 2): (0, 1), (1, 3): (2, 3), (2, 3): (1, 3)}
    drawn = draw(4, 4)
    monkeypatch.setattr(
        score, "draw", lambda *_: {(edge, op): drawn[moved.get(edge, edge), op] for edge, op in drawn}
    )
    assert len(twins) > 3
    assert table(score_cells(source, cells=twins, **how)) == pytest.approx(expected, rel=1e-12)


def test_images_that_fire_alike_have_no_score() -> None:
    source = spikes((3, 5, 4, 6, 6))
    source[:, 3] = source[:, 1]
    found = score_cells(source, leak=Leak(), reset="zero", seed=0, cells=SAMPLED, device="cpu")
    assert np.isneginf(table(found)).all()


def test_a_position_that_never_fires_has_no_score() -> None:
    found = score_cells(torch.zeros(3, 4, 3, 5, 5), leak=Leak(), reset="subtract", seed=0, device="cpu")
    assert np.isneginf(table(found)).all()


@pytest.mark.parametrize("placement", ["node", "edge"])
def test_threads_do_not_show(placement: str) -> None:
    source, how = source_for(placement, (3, 6, 16, 8, 8))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(table(score_cells(source, seed=1, cells=SAMPLED, device="cpu", **how)))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(found[0], found[1])


def test_seeds_and_the_process_decide_nothing_else() -> None:
    source = spikes((2, 5, 4, 6, 6))
    how: dict[str, Any] = {"leak": Leak(), "reset": "subtract", "cells": SAMPLED, "device": "cpu"}
    torch.manual_seed(1)
    first = table(score_cells(source, seed=1, **how))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert np.array_equal(table(score_cells(source, seed=1, **how)), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not np.array_equal(table(score_cells(source, seed=2, **how)), first)


def test_progress_is_told_and_ends_with_all_cells() -> None:
    told: list[tuple[int, int]] = []
    score_cells(
        spikes((1, 3, 2, 4, 4)),
        leak=Leak(),
        reset="zero",
        seed=0,
        device="cpu",
        progress=lambda done, all_: told.append((done, all_)),
    )
    counts = [done for done, _ in told]
    assert counts == sorted(set(counts)) and told[-1] == (len(distinct_cells()),) * 2


def test_extreme_values_do_not_overflow() -> None:
    source = values((6, 4, 3, 5, 5)) * 1e6
    cells = [cell for cell in distinct_cells() if Operation.SKIP in cell.operations][::211]
    how: dict[str, Any] = {
        "leak": Leak("none"),
        "reset": "subtract",
        "placement": "edge",
        "seed": 3,
        "cells": cells,
    }
    one, other = (table(score_cells(source, backend=b, device="cpu", **how)) for b in (Compiled(), Tensors()))
    assert np.array_equal(one, other)
