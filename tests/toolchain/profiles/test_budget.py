"""Budgets: the sum of what is available, narrowed but never widened; sizes as people write them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toolchain.profiles.boards import linux_board, microcontroller
from toolchain.errors import InputError
from toolchain.profiles import from_document, load
from toolchain.profiles.budget import budget, format_size, parse_size

KIB = 1024


def test_a_microcontroller_sums_its_regions_less_what_is_reserved() -> None:
    limits = budget(load("crazyflie_2_1"))
    assert limits.flash_bytes == 608 * KIB
    assert limits.sram_bytes == (27 + 9) * KIB
    assert [(r.name, r.origin, r.available_bytes) for r in limits.regions] == [
        ("flash", 0x0800_0000 + 416 * KIB, 608 * KIB),
        ("sram", 0x2000_0000 + 101 * KIB, 27 * KIB),
        ("ccm", 0x1000_0000 + 55 * KIB, 9 * KIB),
    ]
    assert (limits.artifact_bytes, limits.resident_bytes, limits.latency_ms) == (None, None, None)


def test_narrowing_caps_the_total_and_each_region() -> None:
    limits = budget(load("stm32f405"), flash_bytes=256 * KIB, sram_bytes=100 * KIB)
    assert (limits.flash_bytes, limits.sram_bytes) == (256 * KIB, 100 * KIB)
    assert [r.available_bytes for r in limits.regions] == [256 * KIB, 100 * KIB, 64 * KIB]


def test_a_linux_board_limits_artifact_memory_and_latency() -> None:
    profile = from_document(linux_board(), "board")
    assert budget(profile).regions == ()
    limits = budget(profile, artifact_bytes=1000, latency_ms=10.0)
    assert (limits.artifact_bytes, limits.latency_ms, limits.resident_bytes) == (1000, 10.0, 1 << 25)


def test_the_profile_itself_is_allowed() -> None:
    profile = load("stm32f405")
    assert budget(profile, flash_bytes=1024 * KIB, sram_bytes=192 * KIB) == budget(profile)
    linux = load("jetson_nano")
    assert budget(linux, artifact_bytes=2048 * KIB, latency_ms=33.0) == budget(linux)


def test_resident_memory_may_be_narrowed() -> None:
    limits = budget(load("jetson_nano"), resident_bytes=16 << 20)
    assert limits.resident_bytes == 16 << 20


@pytest.mark.parametrize("name", ["stm32f405", "crazyflie_2_1", "jetson_nano"])
def test_energy_and_operations_are_limits_of_the_user_alone(name: str) -> None:
    profile = load(name)
    assert (budget(profile).energy_mj, budget(profile).operations) == (None, None)
    limits = budget(profile, energy_mj=1.5, operations=10**6)
    assert (limits.energy_mj, limits.operations) == (1.5, 10**6)


def test_an_energy_needs_the_board_s_power_and_speed() -> None:
    with pytest.raises(
        InputError, match=r"rp2040, which does not say what power.*add \[power\] with active_mw"
    ):
        budget(load("rp2040"), energy_mj=1.0)
    linux = linux_board() | {"power": {"active_mw": 3000.0, "source": "a data sheet"}}
    with pytest.raises(InputError, match=r"how fast it is; add \[performance\] with float_macs_per_second"):
        budget(from_document(linux, "board"), energy_mj=1.0)
    linux["performance"] = {"float_macs_per_second": 1e9, "source": "estimate"}
    assert budget(from_document(linux, "board"), energy_mj=1.0).energy_mj == 1.0


def test_a_latency_may_be_set_where_there_is_none() -> None:
    assert budget(load("stm32f405"), latency_ms=5.0).latency_ms == 5.0


@pytest.mark.parametrize(
    ("name", "narrowing", "sentence"),
    [
        (
            "stm32f405",
            {"flash_bytes": 1024 * KIB + 1},
            "--flash may only narrow the 1 MiB that stm32f405 allows",
        ),
        ("stm32f405", {"sram_bytes": 1 << 40}, "--sram may only narrow the 192 KiB"),
        ("stm32f405", {"sram_bytes": 0}, "--sram is 0 bytes"),
        ("stm32f405", {"flash_bytes": -1}, "--flash is -1 bytes"),
        (
            "stm32f405",
            {"artifact_bytes": 10},
            "--artifact does not apply to stm32f405.*use --flash or --sram",
        ),
        (
            "jetson_nano",
            {"flash_bytes": 10},
            "--flash does not apply to jetson_nano.*use --artifact or --latency",
        ),
        ("jetson_nano", {"artifact_bytes": 3 << 20}, "--artifact may only narrow the 2 MiB"),
        ("jetson_nano", {"latency_ms": 40.0}, "--latency may only narrow the 33 ms"),
        ("jetson_nano", {"latency_ms": 0.0}, "--latency is 0 ms"),
        ("jetson_nano", {"latency_ms": math.nan}, "--latency is nan ms"),
        ("stm32f405", {"latency_ms": math.inf}, "--latency is inf ms"),
        ("stm32f405", {"energy_mj": 0.0}, "--energy is 0 mJ"),
        ("stm32f405", {"energy_mj": math.nan}, "--energy is nan mJ"),
        ("stm32f405", {"operations": 0}, "--operations is 0; give a number of synaptic operations above 0"),
        ("jetson_nano", {"resident_bytes": 1 << 30}, "--resident may only narrow the 128 MiB"),
        ("jetson_nano", {"resident_bytes": 0}, "--resident is 0 bytes"),
        (
            "stm32f405",
            {"resident_bytes": 10},
            "--resident does not apply to stm32f405.*use --flash or --sram",
        ),
    ],
)
def test_what_does_not_narrow_is_refused(name: str, narrowing: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        budget(load(name), **narrowing)


@given(flash=st.integers(1, 1 << 20), sram=st.integers(1, 1 << 17))
def test_no_narrowing_gives_more_than_the_profile(flash: int, sram: int) -> None:
    profile = from_document(microcontroller(), "board")
    whole, narrowed = budget(profile), budget(profile, flash_bytes=flash, sram_bytes=sram)
    assert (narrowed.flash_bytes, narrowed.sram_bytes) == (flash, sram)
    for before, after in zip(whole.regions, narrowed.regions, strict=True):
        assert after.available_bytes == min(before.available_bytes, flash if after.kind == "flash" else sram)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256KiB", 256 * KIB),
        ("256 kib", 256 * KIB),
        ("256K", 256 * KIB),
        ("64 kB", 64_000),
        ("64KB", 64_000),
        ("1.5MiB", 1_572_864),
        ("2M", 2 << 20),
        ("2MB", 2_000_000),
        ("0.5 KiB", 512),
        ("1.5kB", 1500),
        (" 65536 ", 65_536),
        ("65536B", 65_536),
        ("65536 b", 65_536),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", " ", "KiB", "-1KiB", "1e3", "0", "0KiB", "1GiB", "12 monkeys", "1.5B", "0.1", "1,5MiB", "1_000", "0x100",
     "٣KiB", "nan", "1" * 5000, "1KiB\n2", "1 Ki B", "1.KiB", ".5KiB", "\x1b[31m"],
)  # fmt: skip
def test_what_is_no_size_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_size(text)
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


@given(st.integers(1, 10**15 - 1))
def test_a_printed_size_is_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(
    number=st.integers(1, 10**9),
    unit=st.sampled_from([("KiB", 1024), ("MiB", 1 << 20), ("kB", 1000), ("MB", 10**6), ("B", 1), ("", 1)]),
    space=st.sampled_from(["", " ", "  "]),
    upper=st.booleans(),
)
def test_units_multiply(number: int, unit: tuple[str, int], space: str, upper: bool) -> None:
    name = unit[0].upper() if upper else unit[0].lower()
    assert parse_size(f"{number}{space}{name}") == number * unit[1]


@given(st.text(max_size=30))
def test_any_text_is_a_size_or_a_sentence(text: str) -> None:
    try:
        assert parse_size(text) > 0
    except InputError as error:
        assert "write" in str(error)
