from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.graph.nodes import Leak
from toolchain.search.scoring import backend, sahd
from toolchain.search.scoring.compiled import Compiled
from toolchain.search.scoring.fixed_point import MAX_POTENTIAL, THRESHOLD, Dynamics
from toolchain.search.scoring.tensors import Tensors

BOTH = [Compiled(), Tensors()]
LEAKS = [Leak("none"), *(Leak(form, shift) for form in ("subtract", "shift") for shift in (1, 2, 5, 15))]  # type: ignore[arg-type]


def random(seed: int, shape: tuple[int, ...], limit: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-limit, limit + 1, shape, generator=generator, dtype=torch.int16)


@pytest.mark.parametrize("leak", LEAKS, ids=str)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("limit", [900, 16380])
def test_neurons_follow_the_recurrence(leak: Leak, reset: str, limit: int) -> None:
    drive = random(7, (8, 3, 64), limit)
    potential = np.zeros((3, 64), np.int64)
    expected = np.zeros((8, 3, 64), np.int64)
    for step, current in enumerate(drive.numpy().astype(np.int64)):
        potential = np.clip(leak.apply(potential) + current, -MAX_POTENTIAL, MAX_POTENTIAL)
        expected[step] = potential >= THRESHOLD
        left = potential - THRESHOLD if reset == "subtract" else np.zeros_like(potential)
        potential = np.where(expected[step] == 1, left, potential)
    for implementation in BOTH:
        found = implementation.fire(drive, Dynamics.of(leak, reset), 64)  # type: ignore[arg-type]
        assert np.array_equal(found.numpy(), expected)


@settings(max_examples=40)
@given(st.integers(1, 200), st.integers(1, 4), st.integers(1, 6), st.integers(0, 1000))
def test_kernels_are_of_the_distances_between_images(
    neurons: int, steps: int, images: int, seed: int
) -> None:
    spikes = (random(seed, (steps, images, neurons), 10) > 3).to(torch.uint8)
    differing = (spikes.unsqueeze(1) != spikes.unsqueeze(2)).sum(-1)
    torch.diagonal(differing, dim1=1, dim2=2).copy_(spikes.sum(-1))
    first, second = torch.triu_indices(images, images, 1)
    compiled, plain = (implementation.kernels(spikes) for implementation in BOTH)
    assert torch.equal(compiled, plain)
    assert torch.equal(compiled[0], steps * neurons - differing[:, first, second].sum(0).double())
    assert torch.equal(compiled, sahd.kernels(differing.int(), neurons))


@pytest.mark.parametrize("neurons", [1, 64, 65, 500, 64 * 64, 64 * 65 + 3, 64 * 130])
def test_outputs_are_driven_by_the_sum_of_their_tables(neurons: int) -> None:
    tables = random(3, (4, 2, 3, backend.row(neurons)), 1000)
    tables[0] = 0
    tables[..., neurons:] = 0
    picks = torch.tensor([[1, 0, 0], [1, 2, 3], [3, 3, 0], [0, 0, 2]] * 30)
    dynamics = Dynamics.of(Leak("subtract", 2), "subtract")
    compiled, plain = (implementation.outputs(tables, picks, dynamics, neurons) for implementation in BOTH)
    assert torch.equal(compiled, plain)
    for pick, found in zip(picks[:4], compiled, strict=False):
        spikes = Tensors().fire(tables[pick].sum(0).to(torch.int16), dynamics, neurons)
        assert torch.equal(found, Tensors().kernels(spikes))


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.integers(1, 5)),
    st.integers(0, 1000),
    st.sampled_from([1 / 64, 9.0]),
)
def test_pools_sum_their_windows(shape: tuple[int, ...], seed: int, divisor: float) -> None:
    values = random(seed, shape, 8190) if divisor > 1 else (random(seed, shape, 5) > 1).to(torch.uint8)
    padded = np.pad(values.numpy().astype(np.int64), ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = shape[2:4]
    summed = sum(padded[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3))
    expected = np.rint(summed / divisor).reshape(*shape[:2], -1)
    size = expected.shape[2]
    carried = torch.full((*shape[:2], size + 7), 5, dtype=values.dtype)
    carried[..., :size] = values.flatten(2)
    for implementation in BOTH:
        out = torch.zeros(*shape[:2], backend.row(size), dtype=torch.int16)
        implementation.pool(carried, (height, width, shape[4]), divisor, out)
        assert np.array_equal(out[..., :size].numpy(), expected) and not out[..., size:].any()


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 9), st.integers(0, 1000))
def test_scaled_sums_and_their_moments(maps: int, pixels: int, channels: int, seed: int) -> None:
    sums = random(seed, (maps * 2, pixels * channels), 20000).float()
    factor = torch.linspace(0.001, 3, channels)
    offset = torch.linspace(-700, 900, channels)
    shaped = sums.unflatten(1, (pixels, channels))
    expected = np.clip(np.rint(shaped.numpy() * factor.numpy() + offset.numpy()), -4095, 4095)
    for implementation in BOTH:
        out = torch.zeros(maps, 2, backend.row(pixels * channels), dtype=torch.int16)
        implementation.scale(sums, factor, offset, out)
        assert np.array_equal(out[..., : pixels * channels].numpy(), expected.reshape(maps, 2, -1))
        assert not out[..., pixels * channels :].any()
        total, squares = implementation.moments(shaped)
        assert torch.equal(total, shaped.double().sum((0, 1)))
        assert torch.equal(squares, shaped.double().square().sum((0, 1)))


def test_without_numba_torch_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(backend.choose(torch.device("cpu")), Compiled)
    assert isinstance(backend.choose(torch.device("cuda")), Tensors)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    assert isinstance(backend.choose(torch.device("cpu")), Tensors)


def test_numba_is_imported_when_it_is_needed_and_structural_scores_need_no_torch() -> None:
    program = """
import sys
import toolchain.search.scoring.structural, toolchain.search.scoring.results
assert "torch" not in sys.modules
import toolchain.search.scoring.score
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
