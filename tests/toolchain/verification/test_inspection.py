from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.verification.elf import read_elf
from toolchain.verification.inspection import not_the_networks
from toolchain.verification.runtimes.unicorn import UnicornRuntime

pytest.importorskip("unicorn")


@pytest.fixture(scope="module")
def runtime(fixture_elf: Path) -> UnicornRuntime:
    return UnicornRuntime(fixture_elf, firmware.profile(), firmware.GRAPH)


def test_writes_to_the_arena_are_recorded_to_the_byte(runtime: UnicornRuntime) -> None:
    # The second pixel is the first paint, so the byte it is written to keeps that paint's look.
    found = runtime.inspect(firmware.image(1, 0x5A, 0xA7))
    assert found.written == b"\1" * 8 + b"\0" * 56
    assert found.repeatable and not found.strays


def test_write_beside_the_arena_is_seen(runtime: UnicornRuntime) -> None:
    found = runtime.inspect(firmware.image(firmware.WRITE_BESIDE_ARENA, 3))
    address = runtime.image.symbol("spikenas_mailbox").address + 32 + 3
    assert found.strays == ((address, address + 1),)


def test_scores_that_depend_on_old_content_are_seen(runtime: UnicornRuntime) -> None:
    assert not runtime.inspect(firmware.image(firmware.STATEFUL)).repeatable


def test_what_is_not_the_networks_is_the_rest_of_sram_and_of_its_pages(fixture_elf: Path) -> None:
    image = read_elf(fixture_elf)
    mailbox, arena = image.symbol("spikenas_mailbox").address, image.symbol("net_arena").address
    top = image.symbol("_stack_top").address
    assert not_the_networks(image, firmware.profile()) == [
        (0x2000_0000, mailbox),
        (mailbox + 32, arena),
        (top, 0x2000_4000),
    ]


def test_neighbours_in_one_page_are_not_painted_twice(fixture_elf: Path) -> None:
    flash, sram = firmware.profile().regions
    low = firmware.region("low", "sram", 0x2000_0000, 256, ("stack",))
    board = firmware.profile(
        regions=(flash, low, sram.model_copy(update={"origin": 0x2000_0100, "reserved_bytes": 0}))
    )
    ranges = not_the_networks(read_elf(fixture_elf), board)
    assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))
