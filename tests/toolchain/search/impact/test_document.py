from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.data import bars, steering
from tests.toolchain.search.impact.test_analysis import found
from toolchain.architecture.text import parse
from toolchain.cli.impact_tables import show_impact
from toolchain.search.candidates import architecture_id
from toolchain.search.impact.document import SCHEMA, impact_document
from toolchain.search.impact.plot import plot

SIGNATURES = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml"}


@pytest.fixture(scope="module", params=["stm32f405", "jetson_nano"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return impact_document(found(profile=request.param), bars(), 12.3456)


def test_it_is_json_and_names_what_it_says(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == SCHEMA and document["seconds"] == 12.35
    networks = {each["id"]: each for each in document["networks"]}
    assert len(networks) == len(document["networks"])
    for each in networks.values():
        assert each["id"] == architecture_id(parse(each["architecture"]))
        assert each["accuracy"] == pytest.approx(sum(each["accuracies"]) / len(document["seeds"]))
        assert ("flash_bytes" in each) == (document["profile"] == "stm32f405") != ("artifact_bytes" in each)
        assert each["dense_operations"] > 0 and each["effective_operations"] > 0
    full = document["sets"][0]
    assert full["name"] == "all" and full["difference"] == 0 and full["operations"] == "01234"
    for each in document["sets"]:
        best = max(each["networks"], key=lambda name: networks[name]["accuracy"])
        assert each["accuracy"] == networks[each["best"]]["accuracy"] == networks[best]["accuracy"]
        assert each["difference"] == pytest.approx(each["accuracy"] - full["accuracy"])
        assert (each["standard_error"] == 0) == (each["best"] == full["best"])
        assert each["score"]["total"] <= full["score"]["total"]


def test_the_default_is_one_of_the_sets_and_costs_nothing(document: dict[str, Any]) -> None:
    (default,) = (each for each in document["sets"] if each["operations"] == document["default"])
    assert default["removed"] == document["costless"] and default["verdict"] == "costs nothing"


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_plot_is_a_picture_and_always_the_same(
    document: dict[str, Any], form: str, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        plot(document, tmp_path / f"{name}.{form}")
    content = (tmp_path / f"one.{form}").read_bytes()
    assert content.startswith(SIGNATURES[form]) and len(content) > 5_000
    assert content == (tmp_path / f"two.{form}").read_bytes()
    if form == "svg":
        for each in document["sets"]:
            assert each["name"].encode() in content


def test_a_set_without_a_network_is_left_out_of_the_plot(document: dict[str, Any], tmp_path: Path) -> None:
    gone = {"best": None, "accuracy": None, "difference": None, "networks": [], "verdict": "nothing fits"}
    sets = [*document["sets"][:-1], document["sets"][-1] | gone | {"name": "without everything"}]
    plot(document | {"sets": sets}, tmp_path / "plot.svg")
    assert b"without everything" not in (tmp_path / "plot.svg").read_bytes()


def test_numbers_are_compared_by_r2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = impact_document(found(data=steering()), steering(), 1.0)
    assert document["task"] == "regression"
    for each in document["networks"]:
        assert each["r2"] == pytest.approx(sum(each["r2_values"]) / len(document["seeds"]))
    assert all("accuracy" not in each for each in (*document["sets"], *document["networks"]))
    plot(document, tmp_path / "one.svg")
    assert (tmp_path / "one.svg").read_bytes().startswith(SIGNATURES["svg"])
    show_impact(document | {"run": "run"})
    printed = capsys.readouterr().out
    assert "R2 in integers" in printed and "%" not in printed and "points" not in printed
