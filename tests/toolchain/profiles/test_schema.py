"""The models: frozen, strict, closed, and with units in the names of their numbers."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from tests.toolchain.profiles.boards import linux_board, microcontroller
from toolchain.profiles import from_document
from toolchain.profiles.schema import Emulation, LinuxLimits, Performance, Power, Profile, Region, Runtime

MODELS = (Profile, Region, LinuxLimits, Runtime, Performance, Power, Emulation)
UNITS = ("_bytes", "_hz", "_ms", "_mw", "_per_second", "origin", "_opset", "_version", "_states")


def numeric(annotation: Any) -> bool:
    return annotation in (int, float) or any(numeric(part) for part in get_args(annotation))


@pytest.mark.parametrize("model", MODELS)
def test_a_number_has_its_unit_in_its_name(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if numeric(field.annotation):
            assert name.endswith(UNITS), name


@pytest.mark.parametrize("model", MODELS)
def test_every_table_has_a_source_that_cannot_be_left_out(model: type[BaseModel]) -> None:
    assert model.model_fields["source"].is_required()


def test_available_is_what_is_not_reserved() -> None:
    region = Region(
        name="r", kind="sram", origin=0x2000_0000, size_bytes=4096, reserved_bytes=1024, holds=(), source="s"
    )
    assert (region.available_origin, region.available_bytes) == (0x2000_0400, 3072)
    end = region.model_copy(update={"reserved_at": "end"})
    assert (end.available_origin, end.available_bytes) == (0x2000_0000, 3072)


def test_a_profile_is_frozen() -> None:
    profile = from_document(microcontroller(), "board")
    with pytest.raises(ValidationError):
        profile.clock_hz = 1  # type: ignore[misc]


@pytest.mark.parametrize("board", [microcontroller(), linux_board()])
def test_a_profile_survives_json(board: dict[str, Any]) -> None:
    profile = from_document(board, "board")
    assert from_document(json.loads(json.dumps(profile.model_dump(mode="json"))), "board") == profile


def test_a_region_is_found_by_name() -> None:
    profile = from_document(microcontroller(), "board")
    assert profile.region("sram") is profile.regions[1]
    with pytest.raises(KeyError):
        profile.region("nosuch")


@pytest.mark.parametrize(
    ("key", "value"),
    [("clock_hz", "100"), ("clock_hz", 1.0), ("clock_hz", True), ("title", 3), ("flash_tools", "pyocd")],
)
def test_values_are_not_converted(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(microcontroller() | {key: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value: float) -> None:
    board = linux_board()
    board["linux"]["latency_ms"] = value
    with pytest.raises(ValidationError):
        Profile.model_validate(board)
