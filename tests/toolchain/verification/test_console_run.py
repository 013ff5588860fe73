"""What a board's answers become in a verdict; the board is a console in memory that gives the reference's scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.graphs import random_graph, random_images
from tests.toolchain.verification.test_verdict import VERDICT
from toolchain import __version__
from toolchain.cost.graph_demand import graph_demand
from toolchain.cost.microcontroller import image_instructions
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification import console_run
from toolchain.verification.bench import Bench
from toolchain.verification.console_protocol import Identity
from toolchain.verification.console_run import (
    console_calibration,
    require_calibrating,
    require_network,
    run_on_console,
)
from toolchain.verification.verdict import ConsoleRun

GRAPH = random_graph(14)
IMAGES = random_images(GRAPH, 4)
BOARD = load("stm32f405")
IDENTITY = Identity(
    GRAPH.input.size, GRAPH.head.classes, 64, 0, 84_000_000, GRAPH.sha256(), "net", __version__, "gcc"
)
RUN = ConsoleRun(
    "COM3", "net", "0.1.0", "gcc", True, 3, 100_000_000, "board", "cycles", 1500, 2000, (1000, 3000)
)


class Board:
    """Gives the reference's scores, and counts as told."""

    where = "COM3"

    def __init__(self, counts: tuple[int | None, ...], known: bool = True, **changes: Any) -> None:
        self.identity = replace(IDENTITY, **changes)
        self._known, self._counts = known, iter(counts)
        self._scores = iter(reference.scores(GRAPH, IMAGES))
        self.pixels: list[bytes] = []

    def self_test(self) -> bool:
        return self._known

    def infer(self, pixels: bytes) -> tuple[Any, int | None]:
        self.pixels.append(pixels)
        return next(self._scores), next(self._counts)


def bench(latency_ms: float | None = None, sampled: bool = True) -> Bench:
    limits = replace(budget(BOARD), latency_ms=latency_ms)
    expected, targets = reference.scores(GRAPH, IMAGES), np.zeros(len(IMAGES), np.int64)
    return Bench(Path(), GRAPH, BOARD, limits, IMAGES, targets, expected, sampled, lambda message: None)


def ran(board: Board, **changes: Any) -> tuple[Bench, ConsoleRun]:
    found = bench(**changes)
    run_on_console(found, board)  # type: ignore[arg-type]
    return found, found.consoles[0]


def test_cycles_and_time_at_the_board_s_own_clock() -> None:
    found, run = ran(Board((8400, 16800, 84000, 8400)))
    assert not found.failures and found.comparisons[0].differing == 0
    assert (run.counted, run.clock_hz, run.clock_from) == ("cycles", 84_000_000, "board")
    assert (run.cycles, run.cycles_most, run.first_cycles) == (16800, 84000, (8400, 16800))
    assert (run.latency_us, run.latency_most_us) == (200, 1000)
    assert run.description == "the board on COM3, 84 MHz"


def test_a_timer_s_counts_become_cycles_at_the_profile_s_clock() -> None:
    _, run = ran(Board((100, 100, 100, 300), counter_hz=1_000_000, clock_hz=0))
    assert (run.counted, run.clock_hz, run.clock_from) == ("time", BOARD.clock_hz, "profile")
    assert run.cycles == 100 * BOARD.clock_hz // 1_000_000 and run.latency_most_us == 300
    assert run.description.endswith("168 MHz by its profile")


@pytest.mark.parametrize("counts", [(None,) * 4, (0,) * 4, (5, None, 5, 5)])
def test_a_board_that_does_not_count(counts: tuple[int | None, ...]) -> None:
    found, run = ran(Board(counts), latency_ms=0.001)
    assert run.counted == "none" and run.cycles is run.latency_us is run.latency_most_us is None
    assert not found.budget and "has no counter" in found.notes[0]
    with pytest.raises(InputError, match="--calibrate has nothing to write"):
        require_calibrating(found)


def test_the_slowest_image_is_held_to_the_limit() -> None:
    found, _ = ran(Board((8400, 8400, 8400, 84000)), latency_ms=0.5)
    (line,) = found.budget
    assert (line.resource, line.used, line.available, line.evidence) == ("latency", 1000, 500, "measured")
    assert [failure.cause for failure in found.failures] == ["over_budget"]
    found, _ = ran(Board((8400,) * 4), latency_ms=0.5)
    assert not found.failures
    require_calibrating(found)


def test_a_failed_known_answer_and_other_scores_are_failures() -> None:
    board = Board((1,) * 4, known=False)
    board._scores = iter(reference.scores(GRAPH, IMAGES) + 1)
    found, run = ran(board)
    assert not run.known_answer and [failure.cause for failure in found.failures] == ["differs", "differs"]
    assert "fails its known-answer test" in found.failures[0].message


def test_firmware_of_another_version_is_noted() -> None:
    found, run = ran(Board((1,) * 4, version="0.0.9"))
    assert "exported by spikenas-deploy 0.0.9" in found.notes[0] and run.version == "0.0.9"


def test_pixels_go_to_the_board_channels_last() -> None:
    board = Board((1,) * 4)
    ran(board)
    assert board.pixels[0] == IMAGES[0].transpose(1, 2, 0).tobytes()


def test_without_samples_the_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_run, "BOARD_S", 0.0)
    found, run = ran(Board((1,) * 4), sampled=False)
    assert run.images == 1 and found.comparisons[0].images == 1
    assert "the board ran 1 of 4 images" in found.notes[0] and "`--samples 4` runs all" in found.notes[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "ab" * 32, "version": "9.9"}, r"another network \(sha256 abababababab.*deploy 9.9\)"),
        ({"image_bytes": 3}, "takes 3 bytes and gives 9 scores, .* sizes of net.h"),
        ({"outputs": 4_000_000_000}, "gives 4000000000 scores"),
    ],
)
def test_another_network_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_network(replace(IDENTITY, **changes), GRAPH, "COM3")


def test_a_calibration_is_of_the_images_that_both_ran() -> None:
    firmware = replace(VERDICT.firmware[0], instructions=(1000, 1000, 99))
    found = console_calibration(replace(VERDICT, firmware=(firmware,), consoles=(RUN,)), GRAPH, BOARD)
    assert found.cycles_per_instruction == pytest.approx(2.0)
    predicted = float(image_instructions(graph_demand(GRAPH), "cortex-m4"))
    assert found.cycles_per_estimated_instruction == pytest.approx(2000 / predicted)
    assert "COM3, 100 MHz" in found.board


def test_without_emulated_instructions_nothing_is_calibrated() -> None:
    firmware = replace(VERDICT.firmware[0], instructions=())
    with pytest.raises(InputError, match="no emulator counted the instructions"):
        console_calibration(replace(VERDICT, firmware=(firmware,), consoles=(RUN,)), GRAPH, BOARD)
