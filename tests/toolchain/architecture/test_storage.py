from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.support.architecture_strategies import architectures
from tests.support.snasnet import snasnet_architectures
from toolchain.architecture import snasnet
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.storage import from_dict, load_architecture, save_architecture, to_dict
from toolchain.architecture.text import EXAMPLE, parse
from toolchain.errors import InputError


@given(architectures())
def test_round_trip_through_json(architecture: Architecture) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(architecture))), "x") == architecture


def test_bits_are_written_where_they_are_not_8() -> None:
    assert "bits" not in to_dict(parse(EXAMPLE))
    assert to_dict(replace(parse(EXAMPLE), bits=4)) == to_dict(parse(EXAMPLE)) | {"bits": 4}


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run" / "architecture.json"
    save_architecture(parse(EXAMPLE), path)
    assert load_architecture(path) == parse(EXAMPLE)


def broken(**changes: Any) -> dict[str, Any]:
    document = to_dict(parse(EXAMPLE)) | changes
    return {name: value for name, value in document.items() if value != "gone"}


def other(**changes: Any) -> dict[str, Any]:
    return to_dict(snasnet.parse(snasnet.EXAMPLE)) | changes


@given(snasnet_architectures())
def test_the_other_space_round_trips_through_json(architecture: snasnet.SnasnetArchitecture) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(architecture))), "x") == architecture


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "must have exactly the fields format, .*; it has list"),
        (broken(head="gone"), "must have exactly the fields"),
        (broken(extra=1), "it has .*extra"),
        (broken(format="spikenas-architecture/9"), "has the format 'spikenas-architecture/9'"),
        (broken(space="nasnet"), "the space 'nasnet'.*'spikenas' or 'snasnet'"),
        (broken(space="snasnet"), "a snasnet architecture must have exactly the fields"),
        (other(format="x"), "the format is 'x'"),
        (other(cells=["003000"]), "cells are two texts of six digits"),
        (other(cells=["003000", 3]), "cells are two texts of six digits"),
        (other(cells=["003000", "999999"]), "is not six digits"),
        (other(width=0), "width must be a whole number"),
        (other(stem={"channels": 4}), "stem must have exactly the fields"),
        (broken(time_steps="4"), "time steps must be a whole number"),
        (broken(leak={"form": "subtract"}), "leak must have exactly the fields form, shift"),
        (broken(leak={"form": "subtract", "shift": 1e9}), "leak's shift"),
        (broken(stem=[16, 2]), "stem must have exactly the fields channels, stride; it has list"),
        (broken(blocks={"cell": "003000"}), "blocks must be a list, not dict"),
        (broken(blocks=["003000"]), "a block must have exactly the fields shrink, channels; it has str"),
        (broken(blocks=[{"cell": 3000}]), "a cell is a text of six digits, not 3000"),
        (broken(blocks=[{"cell": "003000", "channels": 4}]), "a cell must have exactly the fields cell"),
        (broken(blocks=[{"cell": "999999"}]), "is not six digits"),
        (broken(blocks=[{"shrink": ["stride"], "channels": 4}]), "shrink's form"),
        (broken(bits=3), "weights have 8, 4 or 2 bits, not 3"),
        (broken(bits="4"), "not '4'"),
        (broken(bits=True), "not True"),
        (broken(head=None), "the head must be one of"),
    ],
)
def test_broken_documents(document: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"^here.*{words}"):
        from_dict(document, "here")


def test_missing_and_torn_files(tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    with pytest.raises(InputError, match="does not exist"):
        load_architecture(path)
    path.write_text('{"format": "spikenas-arch')
    with pytest.raises(InputError, match=r"architecture\.json is not valid JSON"):
        load_architecture(path)
