from __future__ import annotations

import json

import pytest

from tests.support.data import bars, steering
from tests.toolchain.search.boards import board
from tests.toolchain.search.pretend import pretend
from toolchain.architecture.text import parse, to_text
from toolchain.search.algorithms import algorithm
from toolchain.search.documents import budget_lines, dry_run_document, search_document
from toolchain.search.dry_run import dry_run
from toolchain.search.problem import Problem
from toolchain.search.results import SearchResult
from toolchain.search.settings import SearchSettings

SMALL = parse("t2 leak2 reset-subtract stem4/2 003000 head-count")


def test_documents_are_json_and_agree_with_what_they_describe() -> None:
    where = board("jetson_nano", latency_ms=0.2)
    found = algorithm("spikenas").run(Problem(where, bars(), SearchSettings()), pretend())
    graph = where.graph(found.chosen.architecture)
    document = search_document(SearchResult("spikenas", found.chosen.architecture, graph, found, 1.0))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["architecture"] == to_text(found.chosen.architecture)
    assert document["candidates"]["trained"] == len(document["trained"])
    chosen = [each for each in document["trained"] if each["chosen"]]
    assert len(chosen) == 1 and chosen[0]["rung"] == 2 and chosen[0]["deviation"] is not None
    assert any(each["front"] for each in document["trained"])
    roles = {role for cell in document["cells"] for role in cell["roles"]}
    assert {"reference", "path of 2", "path of 3", "highest sahd_2022_01"} <= roles


def test_numbers_are_judged_by_r2_and_named_so() -> None:
    where = board("jetson_nano", steering(), latency_ms=0.2)
    found = algorithm("spikenas").run(Problem(where, steering(), SearchSettings()), pretend())
    graph = where.graph(found.chosen.architecture)
    assert graph.task == "regression" and graph.head.shifts == steering().shifts
    document = search_document(SearchResult("spikenas", found.chosen.architecture, graph, found, 1.0))
    assert document["task"] == "regression"
    assert all(
        "r2" in each and "accuracy" not in each and "quality" not in each for each in document["trained"]
    )


def test_a_dry_run_s_document() -> None:
    plan = dry_run(board("jetson_nano", latency_ms=0.2))
    document = dry_run_document(plan)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["binding"] == ["latency"] and document["next_larger"]["dropped_by"] == ["latency"]
    assert document["sizes"]["fit"] < document["sizes"]["space"]


def test_budget_lines_of_a_microcontroller() -> None:
    where = board()
    lines = {line["limit"]: line for line in budget_lines(where.judge(SMALL), where)}
    assert list(lines) == ["flash", "sram", "ccm", "sram in all", "pace"]
    assert lines["sram in all"]["available"] == 192 * 1024
    assert lines["sram in all"]["used"] == lines["sram"]["used"] + lines["ccm"]["used"]
    assert all(line["headroom"] == line["available"] - line["used"] for line in lines.values())


@pytest.mark.parametrize(
    ("name", "limits", "expected"),
    [
        ("jetson_nano", {}, ["artifact", "resident", "latency"]),
        ("nrf52840", {"latency_ms": 5.0}, ["flash", "sram", "latency"]),
        ("stm32f405", {"energy_mj": 5.0, "operations": 10**6}, ["pace", "energy", "operations"]),
    ],
)
def test_budget_lines_of_other_limits(name: str, limits: dict[str, float], expected: list[str]) -> None:
    where = board(name, **limits)
    lines = [line["limit"] for line in budget_lines(where.judge(SMALL), where)]
    assert lines[-len(expected) :] == expected
