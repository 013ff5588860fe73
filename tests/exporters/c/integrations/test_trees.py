"""The trees refuse what the real ones do not have, and the integrations hold for every kind of network."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exporters.c import export
from tests.support.firmware_trees import HERE
from tests.support.firmware_trees.builds import BUILDS
from tests.support.graphs import of_numbers, random_graph, random_images
from toolchain import profiles
from toolchain.graph import reference

HOSTED = {"crazyflie": "crazyflie_2_1", "px4": "pixhawk_6c"}


@pytest.fixture(autouse=True)
def tools(require_tool: Callable[[str], str], require_package: Callable[[str], None]) -> None:
    for name in ("make", "cmake", "ninja", "arm-none-eabi-gcc"):
        require_tool(name)
    require_package("unicorn")


@pytest.mark.parametrize(
    ("name", "kind"), [("crazyflie", "numbers"), ("crazyflie", "frames"), ("px4", "numbers")]
)
def test_numbers_and_frames_of_events_run_too(name: str, kind: str, tmp_path: Path) -> None:
    graph = of_numbers(random_graph(2)) if kind == "numbers" else random_graph(3, framed=True)
    images = random_images(graph, 2, seed=3)
    folder = export(graph, profiles.load(HOSTED[name]), tmp_path)[0].parent
    said, scores = BUILDS[name](folder, tmp_path / "work", graph, images)
    assert "self-test passed" in said
    np.testing.assert_array_equal(scores, reference.scores(graph, images))


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        ("src/net_app.c", "vTaskDelay(M2T(10))", "vTaskSleep(10)", "vTaskSleep"),
        ("src/net_app.c", '#include "log.h"', '#include "logging.h"', "logging.h"),
        ("src/net_app.c", "uint8_t self_test;", "uint8_t self_test, unused;", "unused"),
        ("src/net_app.c", "LOG_UINT8", "LOG_BYTE", "LOG_BYTE"),
        ("src/network/Kbuild", "net.o", "nets.o", "nets.c"),
        ("app-config", "APP_STACKSIZE", "APP_STACK", "no option CONFIG_APP_STACK"),
        ("app-config", "APP_ENABLE=y", "APP_ENABLE=n", "not enabled"),
        ("Makefile", "oot.mk", "out.mk", "out.mk"),
    ],
)
def test_crazyflie_has_no_such_name(file: str, before: str, after: str, says: str, tmp_path: Path) -> None:
    project = export(random_graph(0), profiles.load("crazyflie_2_1"), tmp_path)[0].parent / "crazyflie"
    _change(project / file, before, after)
    done = subprocess.run(
        ["make", f"CRAZYFLIE_BASE={HERE / 'crazyflie'}"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0 and says in done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        ("spikenas_net.c", "px4_usleep", "usleep", "usleep"),
        ("spikenas_net.c", "drivers/drv_hrt.h", "drivers/hrt.h", "hrt.h"),
        ("CMakeLists.txt", "STACK_MAIN", "STACK_SIZE", "unparsed"),
        ("CMakeLists.txt", "  EXTERNAL", "", "not EXTERNAL"),
    ],
)
def test_px4_has_no_such_name(file: str, before: str, after: str, says: str, tmp_path: Path) -> None:
    folder = export(random_graph(0), profiles.load("pixhawk_6c"), tmp_path)[0].parent
    _change(folder / "px4" / "src" / "modules" / "spikenas_net" / file, before, after)
    with pytest.raises(AssertionError, match=says):
        BUILDS["px4"](folder, tmp_path / "work", random_graph(0), random_images(random_graph(0), 1, seed=1))


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
