from __future__ import annotations

import hashlib
import time

import pytest

from tests.support.esp_application import info
from toolchain.cost.packing import INFO_BYTES
from toolchain.graph.graph import MAX_TIME_STEPS
from toolchain.inspecting.info_block import MOST_NETWORKS, blocks_in, facts_of

DIGEST = hashlib.sha256(b"a network").hexdigest()
BLOCK = info(DIGEST)


@pytest.mark.parametrize("before", [b"", b"\xff" * 7, bytes(100), b"1.0\0gcc\0"])
def test_a_block_is_found_wherever_it_lies(before: bytes) -> None:
    assert blocks_in(before + BLOCK + b"tail") == [BLOCK]
    assert facts_of([BLOCK]) == {
        "generator": "spikenas-deploy 1.0",
        "compiler": "gcc",
        "graph_sha256": DIGEST,
        "time_steps": 2,
    }


def test_every_count_of_time_steps_and_every_version_is_a_block() -> None:
    for steps in range(1, MAX_TIME_STEPS + 1):
        block = BLOCK[:-4] + steps.to_bytes(4, "little")
        assert blocks_in(block) == [block]
    for version in (b"0", b"1.2.3rc1", b"12.34.56.dev0+a"):
        block = version.ljust(16, b"\0") + b"zig".ljust(8, b"\0") + BLOCK[24:]
        assert blocks_in(block) == [block]


@pytest.mark.parametrize(
    "block",
    [
        BLOCK[:-1],
        BLOCK[:-4] + bytes(4),
        BLOCK[:-4] + (MAX_TIME_STEPS + 1).to_bytes(4, "little"),
        BLOCK.replace(b"gcc", b"gcd"),
        BLOCK.replace(b"1.0", b"v.0"),
        b"1.0\0x".ljust(16, b"\0") + BLOCK[16:],
        b"1234567890123456" + BLOCK[16:],
        b"1.0".ljust(8, b"\0") + BLOCK[16:],
    ],
)
def test_what_only_resembles_one_is_none(block: bytes) -> None:
    assert len(block) <= INFO_BYTES and blocks_in(b"\xff" * 9 + block) == []


def test_several_networks_are_a_list_and_none_is_nothing() -> None:
    other = info(hashlib.sha256(b"another").hexdigest())
    found = facts_of(blocks_in(BLOCK + other))["networks"]
    assert [each["graph_sha256"] for each in found] == [BLOCK[24:56].hex(), other[24:56].hex()]
    assert facts_of([]) == {}


def test_a_hostile_image_is_searched_soon() -> None:
    assert len(blocks_in(BLOCK * 100_000)) == MOST_NETWORKS
    for content in (b"1" * 8_000_000, b"1".ljust(16, b"\0") * 500_000, BLOCK[:24] * 300_000):
        began = time.process_time()
        assert blocks_in(content) == []
        assert time.process_time() - began < 4
