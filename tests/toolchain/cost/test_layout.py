from __future__ import annotations

import pytest

from tests.support.architectures import LINES, untrained
from toolchain import profiles
from toolchain.cost.arena import arena_bytes
from toolchain.cost.code_size import code_bytes
from toolchain.cost.layout import Layout, RegionUse, layout
from toolchain.cost.packing import aligned, constants
from toolchain.cost.stack_size import stack_bytes
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Profile, Region

BOARD = profiles.load("stm32f405")
STACK = stack_bytes(BOARD)

HAND = Graph(
    (
        Input("pixels", Shape(1, 6, 5)),
        Lif("stem", Shape(8, 3, 3), (PixelConv("pixels", 3, 2),)),
        Lif("node", Shape(20, 2, 2), (SpikeConv("stem", 3, 2),)),
        Head("head", "node", 3),
    ),
    4,
    Preprocessing(6, 5, "grey"),
    tuple("abc"),
)


def board(*regions: tuple[str, str, int, tuple[str, ...]]) -> Profile:
    """A board with (name, kind, bytes, what it holds) in order."""
    made = tuple(
        Region(name=name, kind=kind, origin=index << 24, size_bytes=size, holds=holds, source="test")  # type: ignore[arg-type]
        for index, (name, kind, size, holds) in enumerate(regions)
    )
    return BOARD.model_copy(update={"regions": made})


FLASH = ("flash", "flash", 1 << 20, ("code", "weights"))


def used(plan: Layout) -> dict[str, int]:
    return {region.name: region.used_bytes for region in plan.regions}


def regions(plan: Layout) -> dict[str, str]:
    return {item.name: item.region for item in plan.items}


def test_a_small_network_by_hand() -> None:
    plan = layout(HAND, BOARD)
    # stem: 16 x 10 weights, 32 bias, 32 threshold, 16 rounding, 44 node; node: 32 x 72 weights, 64, 64, an edge of 16,
    # 48 node; head: 60 weights, 12 bias, 36 node; info 60, image 30 (32), scores 12.
    assert plan.constants_bytes == 284 + 2496 + 108 + 60 + 32 + 12
    # Spikes: stem 3 x 4 x 3 words of 2 bytes = 72, node 2 x 4 x 2 x 2 x 2 = 64; counts 40. Scratch: of stem 10 pixels
    # of 2 bytes and 16 potentials, of node 32 potentials of 2 bytes and 3 lists of 9 events and what ends them, of 8.
    # All of node and the spikes of stem are alive at once when node runs.
    assert {buffer.name: buffer.size_bytes for buffer in plan.buffers} == {
        "stem_scratch": 52,
        "stem_spikes": 72,
        "node_spikes": 64,
        "node_scratch": 304,
        "head_counts": 40,
    }
    assert plan.arena_bytes == 72 + 64 + 304
    assert plan.mailbox_bytes == 16 + 32 + 12
    assert plan.sram_bytes == 440 + 60 + STACK
    assert plan.flash_bytes == plan.constants_bytes + code_bytes(HAND, "cortex-m4")
    assert {"arena": "sram", "code": "flash"}.items() <= regions(plan).items()


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", ["stm32f405", "rp2040", "stm32h743", "esp32s3", "crazyflie_2_1"])
def test_every_byte_is_in_one_region(line: str, name: str) -> None:
    graph, profile = untrained(line), profiles.load(name)
    plan = layout(graph, profile)
    assert [item.name for item in plan.items] == ["code", "constants", "stack", "mailbox", "arena"]
    sums = {region.name: 0 for region in profile.regions}
    for item in plan.items:
        holds = {"code": "code", "constants": "weights", "stack": "stack"}.get(item.name, "buffers")
        assert holds in profile.region(item.region).holds
        sums[item.region] += item.size_bytes
    assert sums == used(plan)
    assert plan.flash_bytes + plan.sram_bytes == sum(sums.values())
    assert plan.constants_bytes == sum(aligned(constant.size_bytes) for constant in constants(graph))
    assert plan.arena_bytes == arena_bytes(plan.buffers)


def test_what_does_not_fit_the_first_region_goes_to_the_next() -> None:
    both = ("buffers", "stack")
    arena, mailbox = 440, 60
    tight = board(FLASH, ("a", "sram", STACK + mailbox + arena - 4, both), ("b", "sram", 4096, ("buffers",)))
    assert used(layout(HAND, tight)) | {"flash": 0} == {"flash": 0, "a": STACK + mailbox, "b": arena}
    exact = board(FLASH, ("a", "sram", STACK + mailbox + arena, both), ("b", "sram", 4096, ("buffers",)))
    assert used(layout(HAND, exact)) | {"flash": 0} == {"flash": 0, "a": STACK + mailbox + arena, "b": 0}


def test_what_fits_nowhere_is_counted_where_least_is_missing() -> None:
    both = ("buffers", "stack")
    small = board(FLASH, ("a", "sram", STACK + 64, both), ("b", "sram", 439, ("buffers",)))
    plan = layout(HAND, small)
    assert plan.regions[1:] == (
        RegionUse("a", "sram", STACK + 64, STACK + 60),
        RegionUse("b", "sram", 439, 440),
    )
    assert [region.headroom_bytes for region in plan.regions[1:]] == [4, -1]
    small = board(
        FLASH, ("a", "sram", STACK + 64, both), ("b", "sram", 3, ("buffers",)), ("c", "sram", 4, both)
    )
    assert used(layout(HAND, small)) | {"flash": 0} == {"flash": 0, "a": STACK + 60 + 440, "b": 0, "c": 0}


def test_weights_go_to_flash_even_if_an_sram_may_hold_them() -> None:
    """Nothing copies them there at start-up."""
    mixed = board(("fast", "sram", 1 << 16, ("weights", "buffers", "stack")), FLASH)
    plan = layout(HAND, mixed)
    assert {"constants": "flash", "arena": "fast"}.items() <= regions(plan).items()


def test_a_linux_board_has_no_regions() -> None:
    plan = layout(HAND, profiles.load("jetson_nano"))
    assert plan.items == plan.regions == () and plan.flash_bytes == 0 and plan.arena_bytes == 440


def test_a_board_without_a_place_says_which() -> None:
    with pytest.raises(InputError, match="no sram region that holds buffers"):
        layout(HAND, board(FLASH, ("a", "sram", 4096, ("stack",))))
    with pytest.raises(InputError, match="no core; add `core`"):
        layout(HAND, BOARD.model_copy(update={"core": None}))
