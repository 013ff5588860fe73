from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from exporters.base import exporter
from tests.support.graphs import random_graph, random_images
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.verification.verify import verify

GRAPH = random_graph(1)
IMAGES = random_images(GRAPH, 2)
TARGETS = np.zeros(2, np.int64)


def test_missing_image_is_broken_though_its_sources_are_there(tmp_path: Path) -> None:
    board = load("stm32f405")
    save_graph(GRAPH, tmp_path)
    exporter("c").export(GRAPH, board, tmp_path / "artifacts")
    verdict = verify(tmp_path, board, IMAGES, TARGETS)
    (failure,) = verdict.failures
    assert failure.cause == "broken" and verdict.comparisons == ()
    assert failure.message.endswith("firmware.elf does not exist; run `spikenas-deploy export` again")
    assert json.loads((tmp_path / "report.json").read_text())["passed"] is False
