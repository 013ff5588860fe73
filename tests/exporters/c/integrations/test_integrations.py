"""The same of every integration: it builds without a warning, tells its self-test, and gives the reference's scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from exporters.c import export
from exporters.c.integrations import ALWAYS, INTEGRATIONS
from tests.support.firmware_trees.builds import BUILDS
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.profiles.schema import Integration

GRAPH = random_graph(0)
IMAGES = random_images(GRAPH, 3, seed=1)
BOARD = profiles.load("stm32f405")
TOOLS = {
    "cmake": ("cmake", "ninja", "g++"),
    "crazyflie": ("make", "arm-none-eabi-gcc"),
    "px4": ("cmake", "ninja", "arm-none-eabi-gcc"),
    "zephyr": ("cmake", "ninja", "gcc"),
    "arduino": ("gcc", "g++"),
    "platformio": ("gcc",),
}


def test_there_is_a_tree_for_each_and_a_profile_can_name_each() -> None:
    assert list(BUILDS) == list(INTEGRATIONS) == list(TOOLS) == list(get_args(Integration))


@pytest.mark.parametrize("name", BUILDS)
def test_the_network_runs_in_it(
    name: str, tmp_path: Path, require_tool: Callable[[str], str], require_package: Callable[[str], None]
) -> None:
    for tool in TOOLS[name]:
        require_tool(tool)
    require_package("unicorn")
    folder = export(GRAPH, BOARD, tmp_path, wanted=(name,))[0].parent
    work = tmp_path / "work"
    work.mkdir()
    said, scores = BUILDS[name](folder, work, GRAPH, IMAGES)
    assert "self-test passed, network " + GRAPH.sha256()[:12] in said and "FAILED" not in said
    np.testing.assert_array_equal(scores, reference.scores(GRAPH, IMAGES))

    # A compiler, a memory or a copy that changes a number: it is told, and no image is run.
    for source in folder.rglob("net.c"):
        text = source.read_text()
        changed = re.sub(r"(_known_scores\[\d+\] = \{\s*)", r"\g<1>1 + ", text)
        assert changed != text
        source.write_text(changed)
    said, scores = BUILDS[name](folder, work, GRAPH, IMAGES)
    assert "self-test FAILED, network " + GRAPH.sha256()[:12] in said and "self-test passed" not in said
    assert not scores.any()


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_its_pages_are_named_and_its_files_lie_in_the_folder(name: str, tmp_path: Path) -> None:
    integration = INTEGRATIONS[name]
    assert integration.source.startswith("https://") and integration.title
    written = export(GRAPH, BOARD, tmp_path, prefix="eyes", wanted=(name, name))
    assert sorted(written) == sorted(path for path in (tmp_path / "c").rglob("*") if path.is_file())
    names = {path.relative_to(tmp_path / "c").as_posix() for path in written}
    ours = {path.format(prefix="eyes") for path in integration.files}
    assert ours <= names
    text = "".join((tmp_path / "c" / path).read_text() for path in ours)
    assert "eyes" in text and not re.search(r"\bnet_|\bNET_|\bnet\.", text)


def test_a_profile_names_its_own_and_cmake_is_always_there(tmp_path: Path) -> None:
    found = {}
    for board in ("stm32f405", "crazyflie_2_1", "pixhawk_4", "pixhawk_6c", "esp32s3"):
        export(GRAPH, profiles.load(board), tmp_path / board)
        folder = tmp_path / board / "c"
        found[board] = {
            name for name in ("crazyflie", "px4", "zephyr", "arduino") if (folder / name).exists()
        }
        assert ALWAYS == ("cmake",) and (folder / "CMakeLists.txt").is_file()
    assert found == {
        "stm32f405": set(),
        "crazyflie_2_1": {"crazyflie"},
        "pixhawk_4": {"px4"},
        "pixhawk_6c": {"px4"},
        "esp32s3": set(),
    }


def test_an_unknown_integration_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="no integration is called 'betaflight'; there are cmake, crazyflie, px4"
    ):
        export(GRAPH, BOARD, tmp_path, wanted=("betaflight",))
    assert list(tmp_path.iterdir()) == []
