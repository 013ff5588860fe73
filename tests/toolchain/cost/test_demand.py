from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.architectures import LINES, untrained
from tests.support.graphs import random_graph
from toolchain import profiles
from toolchain.cost import demand
from toolchain.cost.amounts import Map
from toolchain.cost.arena import arena_bytes, buffers
from toolchain.cost.artifacts import TARGETS
from toolchain.cost.code_size import image_code_bytes
from toolchain.cost.demand import EVERY_FILE, FIELDS, LARGEST, Demand, total
from toolchain.cost.figures import MICRO, Figures, figures, files
from toolchain.cost.footprint import footprint
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.layout import layout
from toolchain.cost.neurons import Convolutions, FanIn, Neurons, dynamics
from toolchain.cost.operations import operations
from toolchain.cost.packing import aligned, constants
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Leak, Lif, Pool

GRAPHS = [untrained(line) for line in LINES] + [random_graph(seed) for seed in range(20)]
PROFILES = [profiles.load(name) for name in profiles.available()]


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_s_demand_is_what_its_readers_count(graph: Graph) -> None:
    found, nodes = graph_demand(graph), list(graph.all(Lif))
    assert found.constants_bytes == sum(aligned(constant.size_bytes) for constant in constants(graph))
    assert found.operations == operations(graph).dense
    assert found.arena_bytes == arena_bytes(buffers(graph))
    assert found.potentials == sum(node.shape.size for node in nodes)
    assert found.lif_nodes == len(nodes) == found.spike_nodes + 1
    assert found.pools == sum(isinstance(edge, Pool) for node in nodes for edge in node.edges)
    assert found.time_steps == graph.time_steps


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_footprint_is_the_layout_s(graph: Graph) -> None:
    for profile in PROFILES:
        used, plan = footprint(graph, profile), layout(graph, profile)
        if profile.regions:
            assert (used.flash_bytes, used.sram_bytes) == (plan.flash_bytes, plan.sram_bytes)
        assert used.regions == plan.regions


def stacked(demands: list[Demand]) -> Demand:
    """One demand that holds an array for each field."""
    return Demand(*(np.array([getattr(one, name) for one in demands], np.int64) for name in FIELDS))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_many_networks_at_once_get_the_figures_of_each(profile: profiles.schema.Profile) -> None:
    demands = [graph_demand(graph) for graph in GRAPHS]
    together = figures(stacked(demands), profile)
    for index, one in enumerate(demands):
        alone = figures(one, profile)
        for field in fields(Figures):
            expected, found = getattr(alone, field.name), getattr(together, field.name)
            if field.name == "regions":
                expected = [region.used_bytes for region in expected]
                assert [region.used_bytes[index] for region in found] == expected
            else:
                assert (found is None and expected is None) or found[index] == expected, field.name


def shipped() -> list[tuple[profiles.schema.Profile, tuple[str, ...]]]:
    """Every profile with its default formats, and with each target that can be predicted for it."""
    found: list[tuple[profiles.schema.Profile, tuple[str, ...]]] = []
    for profile in PROFILES:
        tensorrt = profile.runtime is not None and profile.runtime.tensorrt is not None
        linux = [*TARGETS] if tensorrt else [target for target in TARGETS if target != "tensorrt"]
        known = ["firmware", MICRO] if profile.core is not None else linux
        found += [(profile, ()), *((profile, (target,)) for target in known)]
        found += [(profile, tuple(linux))] if profile.core is None else []
    return found


@pytest.mark.parametrize(
    ("profile", "targets"),
    [pytest.param(*case, id="-".join((case[0].name, *case[1]))) for case in shipped()],
)
def test_the_files_that_are_asked_for_are_all_that_figures_need(
    profile: profiles.schema.Profile, targets: tuple[str, ...]
) -> None:
    wanted = files(profile, targets)
    assert wanted <= EVERY_FILE
    for graph in GRAPHS[::4]:
        whole, asked = graph_demand(graph), graph_demand(graph, wanted)
        for name in FIELDS:
            left_out = name in EVERY_FILE and name not in wanted
            assert getattr(asked, name) == (0 if left_out else getattr(whole, name)), name
        assert figures(asked, profile, targets) == figures(whole, profile, targets)


def test_a_linux_board_needs_a_file_and_a_microcontroller_none() -> None:
    assert files(profiles.load("stm32f405")) == files(profiles.load("stm32f405"), (MICRO,)) == frozenset()
    assert files(profiles.load("jetson_nano")) == {"onnx_bytes"}
    assert "tflite_bytes" in files(profiles.load("raspberry_pi_4b"))
    assert files(profiles.load("jetson_orin_nano"), ("tensorrt",)) == {
        "tensorrt_bytes",
        "tensorrt_int8_bytes",
    }


NUMBERS = st.integers(0, 1 << 40)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[NUMBERS] * len(FIELDS)), min_size=1, max_size=5))
def test_parts_add_up_but_of_some_the_largest_counts(parts: list[tuple[int, ...]]) -> None:
    whole = total(Demand(*part) for part in parts)
    for name, values in zip(FIELDS, zip(*parts, strict=True), strict=True):
        assert getattr(whole, name) == (max(values) if name in LARGEST else sum(values))


def test_kernels_are_linked_if_a_node_needs_them() -> None:
    bare = Demand(lif_nodes=1)
    code = image_code_bytes(bare, "cortex-m4")
    spiking = image_code_bytes(Demand(lif_nodes=1, spike_nodes=1), "cortex-m4")
    assert spiking > code
    counts = np.array([0, 1, 5])
    many = image_code_bytes(Demand(lif_nodes=1, spike_nodes=counts), "cortex-m4")
    assert list(many) == [code, spiking, spiking]  # type: ignore[arg-type]


def test_the_largest_network_of_the_space_stays_below_64_bits() -> None:
    side = channels = 4096
    shape = Map(channels, side, side)
    node = Neurons(12, shape, dynamics(8, Leak("subtract", 15), "subtract"))
    six = FanIn(6, 0, (Convolutions(6, 9, channels),), 3 * shape.size, 6 * 12, 12)
    cell = demand.spike_node(node, six, 4 * shape.size)
    assert max(64 * int(getattr(cell, name)) for name in FIELDS) < 2**63
