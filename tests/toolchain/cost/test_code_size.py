from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from benchmarks.code_sizes import linked_code_bytes, main, measure, network
from exporters.c import compilers
from exporters.c.cores import CORES
from toolchain import profiles
from toolchain.cost.code_size import (
    CALLS,
    FUNCTION_BYTES,
    NUMBERS_BYTES,
    SPLIT_BYTES,
    TABLE,
    Compiler,
    code_bytes,
    code_size,
    measured_version,
)
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import OrPool
from toolchain.profiles.schema import Core


@pytest.mark.parametrize("core", get_args(Core))
@pytest.mark.parametrize("compiler", get_args(Compiler))
def test_every_core_of_a_profile_has_a_size(core: str, compiler: Compiler) -> None:
    assert 1000 < code_bytes(network(2, 1), core, compiler) < 12 * 1024


def test_the_code_is_a_sum_of_what_is_linked() -> None:
    terms = code_size("cortex-m4")
    base = terms.base + NUMBERS_BYTES
    assert code_bytes(network(), "cortex-m4") == base
    for nodes in (1, 5):
        code = base + terms.spike + terms.rows + terms.spike_8 + nodes * terms.node
        assert code <= code_bytes(network(nodes), "cortex-m4") < code + 4
    pooled = network(pooling=1)
    assert any(isinstance(node, OrPool) for node in pooled.nodes)
    assert base + terms.or_pool + terms.node <= code_bytes(pooled, "cortex-m4")
    calls = code_bytes(network(CALLS + 1), "cortex-m4") - code_bytes(network(1), "cortex-m4")
    assert calls == pytest.approx(CALLS * terms.node + SPLIT_BYTES, abs=4)


@pytest.mark.parametrize("core", get_args(Core))
@pytest.mark.parametrize("compiler", get_args(Compiler))
def test_kernels_are_filled_like_the_functions_around_them(core: str, compiler: Compiler) -> None:
    if core in CORES:
        terms = code_size(core, compiler)
        kernels = terms._replace(base=0, node=0, frames=0)
        assert all(size % FUNCTION_BYTES == 0 for size in kernels)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m7"])
def test_no_image_is_larger_than_predicted(core: str, require_package: Callable[[str], None]) -> None:
    """Both kernels, the number of calls where filling up costs most, and more classes than one byte counts."""
    require_package("ziglang")
    if compilers.version("zig") != measured_version("zig"):
        pytest.skip("sizes were measured with another zig")
    board = profiles.load("stm32h743").model_copy(update={"core": core})
    framed = network(2, 1, frames=4)
    packed = [
        network(bits=[4, 4]),
        network(bits=[2, 0], head_bits=2),
        network(bits=[8, 4, 2, 0], head_bits=4),
    ]
    for graph in (network(1, 1), network(2, 2), network(3, 1), framed, wide(network(3, 1), 257), *packed):
        linked = linked_code_bytes(graph, board, "zig")
        assert linked <= code_bytes(graph, core, "zig") <= linked + (32 if graph in packed else 16)


def test_only_the_widths_that_a_network_has_are_paid_for() -> None:
    terms, node = code_size("cortex-m4"), code_size("cortex-m4").node

    def size(*bits: int, head_bits: int = 8) -> int:
        return code_bytes(network(bits=bits, head_bits=head_bits), "cortex-m4")

    for bits, kernels in {
        (0,): terms.unweighted,
        (8,): terms.rows + terms.spike_8,
        (4,): terms.rows + terms.spike_4,
        (2,): terms.rows + terms.spike_2,
        (4, 2): terms.rows + terms.spike_4 + terms.spike_2,
        (8, 0): terms.rows + terms.spike_8 + terms.unweighted,
    }.items():
        assert size(*bits) == pytest.approx(size() + terms.spike + kernels + len(bits) * node, abs=4)
    assert size(head_bits=2) == size(head_bits=4) == size() + terms.packed_head


def wide(graph: Graph, classes: int) -> Graph:
    """``graph`` with so many classes."""
    weight, bias = np.zeros((classes, graph.head_features()), np.int8), np.zeros(classes, np.int32)
    head = replace(graph.head, classes=classes, weight=weight, bias=bias)
    return replace(graph, nodes=(*graph.nodes[:-1], head), labels=tuple(map(str, range(classes))))


def test_sizes_do_not_depend_on_weights() -> None:
    graph = network(3, 1)
    bare = replace(
        graph,
        nodes=tuple(replace(node, weight=None) if hasattr(node, "weight") else node for node in graph.nodes),
    )
    assert code_bytes(bare, "cortex-m7") == code_bytes(graph, "cortex-m7")


def test_a_core_without_a_size_says_how_to_measure_it() -> None:
    with pytest.raises(InputError, match=r"python -m benchmarks\.code_sizes"):
        code_bytes(network(), "cortex-m1")


@pytest.mark.parametrize("compiler", get_args(Compiler))
def test_the_table_is_what_is_measured(
    compiler: Compiler, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> None:
    if compiler == "gcc":
        require_tool("arm-none-eabi-gcc")
    else:
        require_package("ziglang")
    if compilers.version(compiler) != measured_version(compiler):
        pytest.skip(
            f"{compiler} is version {compilers.version(compiler)}, not the pinned {measured_version(compiler)}"
        )
    assert measure(profiles.load("stm32f405"), compiler) == code_size("cortex-m4", compiler)


def test_the_quick_look_compares_and_writes_nothing(
    require_package: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    require_package("ziglang")
    before = TABLE.stat().st_mtime_ns
    assert main(["--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["core"], result["compiler"]) == ("cortex-m4", "zig")
    assert result["measured_bytes"] == pytest.approx(result["predicted_bytes"], abs=16)
    assert main(["--quick"]) == 0
    assert f"measured {result['measured_bytes']:,} bytes" in capsys.readouterr().out
    assert TABLE.stat().st_mtime_ns == before


@pytest.mark.accept
def test_the_whole_table_is_what_is_measured() -> None:
    assert set(compilers.available()) == set(get_args(Compiler)) and len(CORES) == 6
    assert main(["--check"]) == 0
