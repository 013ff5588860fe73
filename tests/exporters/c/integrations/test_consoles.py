"""Where an integration has a serial port, `verify --serial` can run images through it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from tests.support.firmware_trees.builds import CONSOLES
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain import profiles
from toolchain.graph import reference
from toolchain.verification.console_protocol import Answer, Answers, identity, number, request

NAMES = {"crazyflie": "crazyflie_2_1", "px4": "pixhawk_6c", "arduino": "rp2040"}


@pytest.mark.parametrize("name", CONSOLES)
def test_a_board_answers_with_the_reference_s_scores(
    name: str, tmp_path: Path, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> None:
    for tool in ("make", "cmake", "ninja", "g++", "arm-none-eabi-gcc"):
        require_tool(tool)
    require_package("unicorn")
    graph = of_numbers(random_graph(0), 2)
    image = random_images(graph, 1, seed=2)
    folder = export(graph, profiles.load(NAMES[name]), tmp_path, wanted=("arduino",))[0].parent
    (tmp_path / "work").mkdir()
    pixels = np.moveaxis(image[0], -3, -1).tobytes()
    asked = [request(1, "I"), b"noise\n", request(2, "T")]
    for offset in range(0, len(pixels), 64):
        asked.append(request(3, "W", number(offset), pixels[offset : offset + 64].hex()))
    asked += [request(4, "R", number(zlib.crc32(pixels))), request(5, "S", number(0))]

    said, sent = CONSOLES[name](folder, tmp_path / "work", b"".join(asked))
    assert "self-test passed" in said
    answers = Answers().feed(sent)
    assert len(answers) == len(asked) - 1 and None not in answers
    found = {answer.command: answer for answer in answers if isinstance(answer, Answer)}
    board = identity(found["I"])
    assert (board.sha256, board.image_bytes, board.outputs) == (graph.sha256(), len(pixels), 2)
    assert board.counter_hz == 1_000_000
    assert found["T"].numbers(1) == [1] and found["R"].numbers(2)[0] == 1
    scores = np.array(found["S"].numbers(4)[2:], np.uint32).astype(np.int32)
    np.testing.assert_array_equal(scores, reference.scores(graph, image)[0])
