"""The network of the snasnet space against its description, step by step and neuron by neuron."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import TAU, SnasnetArchitecture, parse
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import Neurons, SnasnetCell, SnasnetNetwork

CIFAR = Shape(3, 32, 32)
SMALL = "snasnet t3 stem4/1 322143 134212 pool2 fc12 voters2"


def parameters(architecture: SnasnetArchitecture, classes: int) -> int:
    with torch.device("meta"):
        network = SnasnetNetwork(architecture, CIFAR, classes)
    return sum(values.numel() for values in network.parameters())


def pixels(count: int = 6, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (count, 3, 16, 16)).astype(np.uint8))


@pytest.mark.parametrize(
    ("pool", "cifar100", "cifar10"), [(2, 17_589_620, 34_846_564), (4, 5_006_708, 9_680_740)]
)
def test_published_numbers_of_parameters(pool: int, cifar100: int, cifar10: int) -> None:
    skip = (Cell.parse("001000"),) * 2
    assert parameters(SnasnetArchitecture(128, skip, pool=pool), 100) == cifar100
    assert parameters(SnasnetArchitecture(256, skip, pool=pool, voters=10), 10) == cifar10


def test_published_parameters_of_edges() -> None:
    def added(cell: str) -> int:
        return parameters(SnasnetArchitecture.cifar100((Cell.parse(cell),) * 2), 100) - 17_589_620

    assert added("003000") == 738_048
    assert added("002000") == 82_688
    assert added("323000") == 738_048  # the dead branch is pruned
    assert added("433424") == 2 * 738_048 + 82_688


def test_neurons_are_those_of_the_description() -> None:
    currents = torch.randn(5, 4, 3, 6, 6) * 2
    potential = torch.zeros(4, 3, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        found = Neurons(5)(list(currents))
    for current, spikes in zip(currents, found, strict=True):
        potential = potential + (current.double() - potential) / TAU
        assert (spikes == (potential >= 1).float()).all()
        potential[potential >= 1] = 0
    assert 0.05 < torch.stack(found).mean() < 0.5


@pytest.mark.parametrize("count", [1, 4])
def test_neurons_fire_alike_with_and_without_gradient(count: int) -> None:
    currents = list(torch.randn(count, 2, 3, 5, 5) * 3)
    with torch.no_grad():
        plain = Neurons(4)(currents)
    assert len(plain) == 4
    assert all((a == b).all() for a, b in zip(plain, Neurons(4)(currents), strict=True))


def cell_by_hand(network: SnasnetCell, matrix: str, maps: list[torch.Tensor]) -> list[torch.Tensor]:
    """Each edge on its own, with neurons of its own, as the description has it."""
    steps = max(len(maps), 3)
    nodes = [[maps[t if len(maps) > 1 else 0] for t in range(steps)], *[[0.0] * steps for _ in range(3)]]
    for (source, target), digit in zip(((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)), matrix, strict=True):
        # Edges in this order find their source complete.
        values = nodes[source]
        if digit == "0":
            continue
        if digit in "23":
            with torch.no_grad():
                values = [
                    network.convolutions[f"{source}{target}"](spikes) for spikes in Neurons(steps)(values)
                ]
        elif digit == "4":
            values = [functional.avg_pool2d(value, 3, 1, 1) for value in values]
        nodes[target] = [a + b for a, b in zip(nodes[target], values, strict=True)]
    return nodes[3]


@pytest.mark.parametrize("matrix", ["322143", "134212", "411111", "001000", "444444", "301301", "234321"])
@pytest.mark.parametrize("constant", [True, False])
def test_cells_are_those_of_the_description(matrix: str, constant: bool) -> None:
    assert str(Cell.parse(matrix)) == matrix
    torch.manual_seed(0)
    network = SnasnetCell(Cell.parse(matrix), 4, 3).train()
    maps = list(torch.randn(1 if constant else 3, 5, 4, 8, 8) * 2)
    with torch.no_grad():
        found, expected = network(maps), cell_by_hand(network, matrix, maps)
    found = found if len(found) > 1 else found * 3
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))


def test_a_layer_of_neurons_for_every_edge_with_a_convolution() -> None:
    network = SnasnetCell(Cell.parse("223324"), 4, 3)
    assert {source: neurons.layers for source, neurons in network.neurons.items()} == {"0": 3, "1": 2}


def test_statistics_are_those_of_a_time_step() -> None:
    network = SnasnetNetwork(parse(SMALL), Shape(3, 16, 16), 3).train()
    seen: list[torch.Tensor] = []
    network.last_norm.register_forward_hook(lambda _, __, output: seen.append(output))
    network(pixels())
    assert len(seen) == 3
    for step in seen:
        assert torch.allclose(step.mean((0, 2, 3)), torch.zeros(8), atol=1e-5)


def test_seed_alone_decides_the_weights() -> None:
    torch.manual_seed(5)
    one = SnasnetNetwork(parse(SMALL), CIFAR, 3, seed=1)
    torch.manual_seed(6)
    two = SnasnetNetwork(parse(SMALL), CIFAR, 3, seed=1)
    other = SnasnetNetwork(parse(SMALL), CIFAR, 3, seed=2)
    assert all((a == b).all() for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not (one.full.weight == other.full.weight).all()


def test_every_weight_learns() -> None:
    # Untrained neurons of the fully connected layer stay silent, but the surrogate reaches them.
    network = SnasnetNetwork(parse(SMALL), Shape(3, 16, 16), 3).train()
    logits = network(pixels())
    assert logits.shape == (6, 3)
    functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    for name, values in network.named_parameters():
        assert values.grad is not None and torch.isfinite(values.grad).all(), name
    assert network.stem.convolution.weight.grad is not None
    assert network.stem.convolution.weight.grad.abs().sum() > 0


def test_dropout_is_active_in_training_alone() -> None:
    network = SnasnetNetwork(parse(SMALL), Shape(3, 16, 16), 3)
    network.full.weight.data.mul_(20)
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(pixels()), network(pixels()))
        network.eval()
        assert torch.equal(network(pixels()), network(pixels()))


def test_images_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="leaves nothing"):
        SnasnetNetwork(parse(SMALL), Shape(3, 3, 8), 3)
