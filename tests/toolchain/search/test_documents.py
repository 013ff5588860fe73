from __future__ import annotations

import json

from tests.support.data import bars
from tests.toolchain.search.boards import board
from toolchain import profiles
from toolchain.architecture.text import parse, to_text
from toolchain.profiles.budget import budget
from toolchain.search.documents import budget_lines, dry_run_document, search_document
from toolchain.search.dry_run import dry_run
from toolchain.search.search import search
from toolchain.search.settings import SearchSettings

SMALL = parse("t2 leak2 reset-subtract stem4/2 003000 head-count")


def test_documents_are_json_and_agree_with_what_they_describe() -> None:
    profile = profiles.load("jetson_nano")
    limits = budget(profile, latency_ms=0.2)
    extent = SearchSettings(candidates=1, batch=4, weight_seeds=1)
    result = search(bars(), profile, limits, extent, progress=lambda _: None)
    document = search_document(result)
    assert json.loads(json.dumps(document, allow_nan=False))["footprint"]["artifact_bytes"] > 0
    assert document["architecture"] == to_text(result.architecture)
    assert document["candidates"]["scored"] == sum(found["scored"] for found in document["positions"])
    plan = dry_run_document(dry_run(bars(), profile, limits))
    assert json.loads(json.dumps(plan, allow_nan=False))["binding"] == plan["binding"]
    assert plan["binding"] == ["latency"] and plan["tried"][-1]["dropped_by"] == []


def test_budget_lines_of_a_microcontroller() -> None:
    where = board()
    lines = {line["limit"]: line for line in budget_lines(where.judge(SMALL), where)}
    assert list(lines) == ["flash", "sram", "ccm", "sram in all", "pace"]
    assert lines["sram in all"]["available"] == 192 * 1024
    assert lines["sram in all"]["used"] == lines["sram"]["used"] + lines["ccm"]["used"]
    assert all(line["headroom"] == line["available"] - line["used"] for line in lines.values())


def test_budget_lines_of_a_linux_board_and_of_a_latency() -> None:
    where = board("jetson_nano")
    assert [line["limit"] for line in budget_lines(where.judge(SMALL), where)] == [
        "artifact",
        "resident",
        "latency",
    ]
    where = board("nrf52840", latency_ms=5.0)
    lines = budget_lines(where.judge(SMALL), where)
    assert lines[-1]["limit"] == "latency" and lines[-1]["available"] == 5.0
