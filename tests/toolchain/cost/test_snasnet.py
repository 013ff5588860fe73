from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.snasnet import snasnet_architectures
from toolchain import profiles
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture, parse
from toolchain.cost.footprint import excesses
from toolchain.cost.snasnet import artifact_bytes, footprint, operations, parameters
from toolchain.errors import InputError
from toolchain.graph.nodes import Shape
from toolchain.profiles.budget import budget

CIFAR = Shape(3, 32, 32)
DIRECT = (Cell.parse("003000"),) * 2


@pytest.mark.parametrize(
    ("pool", "cifar100", "cifar10"), [(2, 17_589_620, 34_846_564), (4, 5_006_708, 9_680_740)]
)
def test_published_numbers_of_parameters(pool: int, cifar100: int, cifar10: int) -> None:
    skip = (Cell.parse("001000"),) * 2
    assert parameters(SnasnetArchitecture(128, skip, pool=pool), CIFAR, 100) == cifar100
    assert parameters(SnasnetArchitecture(256, skip, pool=pool, voters=10), CIFAR, 10) == cifar10


@settings(max_examples=40)
@given(snasnet_architectures(30, 100), st.integers(1, 4), st.integers(32, 50), st.integers(1, 12))
def test_parameters_are_the_network_s(
    architecture: SnasnetArchitecture, channels: int, side: int, classes: int
) -> None:
    import torch

    from toolchain.network.snasnet import SnasnetNetwork

    pixels = Shape(channels, side, 33)
    with torch.device("meta"):
        network = SnasnetNetwork(architecture, pixels, classes)
    assert parameters(architecture, pixels, classes) == sum(v.numel() for v in network.parameters())


def test_operations_by_hand() -> None:
    architecture = parse("snasnet t3 stem4/2 302020 003000 pool2 fc5 voters2")
    found = operations(architecture, Shape(1, 16, 16), 7)  # maps 4x8x8, 8x4x4, 8x2x2
    assert found.pixel_macs == 9 * 4 * 64
    assert found.head_macs == 3 * 32 * 5
    first = (9 + 1 + 1) * 4 * 4 * 64
    assert found.dense_acs == 3 * (first + 9 * 4 * 8 * 64 + 9 * 8 * 8 * 16) + 7 * 5
    # Nodes 0 and 1 of the first cell and node 0 of the second have neurons; so have reduction, last and full.
    assert found.membrane_updates == 3 * (2 * 256 + 256 + 128 + 128 + 5)


def test_the_published_network_exceeds_every_limit_of_a_small_board() -> None:
    profile = profiles.load("raspberry_pi_4b")
    used = footprint(SnasnetArchitecture.cifar100(DIRECT), CIFAR, 100, profile)
    assert used.operations == operations(SnasnetArchitecture.cifar100(DIRECT), CIFAR, 100).dense
    assert used.latency_ms == pytest.approx(used.operations / 1.5e9 * 1e3)
    assert [excess.limit for excess in excesses(used, budget(profile))] == ["artifact", "resident", "latency"]


def test_a_small_network_fits() -> None:
    profile = profiles.load("jetson_nano")
    used = footprint(parse("snasnet t2 stem8/2 003000 pool4 fc32 voters1"), Shape(1, 28, 28), 10, profile)
    assert excesses(used, budget(profile)) == []
    assert used.artifact_bytes is not None and used.resident_bytes is not None
    assert used.artifact_bytes < used.resident_bytes


def test_microcontrollers_are_refused() -> None:
    with pytest.raises(InputError, match="A deployment on stm32f405 is not to be had .* snasnet space"):
        footprint(SnasnetArchitecture.cifar100(DIRECT), CIFAR, 100, profiles.load("stm32f405"))


def test_images_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="leaves nothing"):
        artifact_bytes(parse("snasnet t2 stem8/2 003000 pool4 fc32 voters1"), Shape(1, 8, 8), 10)
