from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exporters.metadata import MAX_ARTIFACT_BYTES
from tests.support.graphs import random_graph, random_images
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.verification.verify import verify

GRAPH = random_graph(1)
IMAGES = random_images(GRAPH, 2)
TARGETS = np.zeros(2, np.int64)


@pytest.mark.parametrize(
    ("board", "name"),
    [("stm32f405", "firmware.elf"), ("esp32s3", "c/net.c"), ("raspberry_pi_4b", "model.onnx")],
)
def test_artifact_of_absurd_size_is_broken_and_not_read(
    tmp_path: Path, board: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_graph(GRAPH, tmp_path)
    huge = tmp_path / "artifacts" / name
    huge.parent.mkdir(parents=True)
    with huge.open("wb") as stream:
        stream.truncate(MAX_ARTIFACT_BYTES + 1)
    monkeypatch.setattr("toolchain.verification.bench.sha256", lambda path: pytest.fail(f"{path} was read"))
    (failure,) = verify(tmp_path, load(board), IMAGES, TARGETS).failures
    assert failure.cause == "broken" and f"{huge} has 67,108,865 bytes, more than" in failure.message
