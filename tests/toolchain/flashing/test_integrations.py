"""What a user builds with an exported project passes `check`, and `flash` would write it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import flight
from tests.support.firmware_trees import HERE
from tests.support.firmware_trees.builds import cmake_build, run
from tests.toolchain.flashing.conftest import Fake, RunOf
from toolchain.cli.main import main
from toolchain.cost.layout import layout
from toolchain.graph.storage import load_graph
from toolchain.runs import RunFolder


def crazyflie(made: RunFolder, folder: Path) -> tuple[Path, Path, list[str]]:
    """.bin and .elf as `make` leaves them, and the options of `flash`."""
    project = Path(shutil.copytree(made.artifacts / "c" / "crazyflie", folder / "app"))
    run(["make", "-j2", f"CRAZYFLIE_BASE={HERE / 'crazyflie'}"], project)
    return project / "build" / "cf2.bin", project / "build" / "cf2.elf", []


def px4(made: RunFolder, folder: Path) -> tuple[Path, Path, list[str]]:
    """The same of PX4, whose build packs the .bin into a .px4."""
    project = Path(shutil.copytree(made.artifacts / "c" / "px4", folder / "px4"))
    cmake_build(HERE / "px4", folder / "build", f"-DEXTERNAL_MODULES_LOCATION={project}")
    bundle = flight.bundle(folder / "build" / "px4.bin", 56)
    return bundle, folder / "build" / "px4.elf", ["--port", "/dev/ttyACM0"]


@pytest.mark.parametrize(("board", "build"), [("crazyflie_2_1", crazyflie), ("pixhawk_6c", px4)])
def test_the_user_s_firmware_is_checked_and_flashed(
    board: str,
    build: Callable[[RunFolder, Path], tuple[Path, Path, list[str]]],
    run_of: RunOf,
    tmp_path: Path,
    fake: Fake,
    capsys: pytest.CaptureFixture[str],
    require_tool: Callable[[str], str],
) -> None:
    for tool in ("make", "cmake", "ninja", "arm-none-eabi-gcc"):
        require_tool(tool)
    made = run_of(board)
    file, elf, options = build(made, tmp_path)
    written = fake("cfloader")
    arguments = ["flash", str(made.path), "--firmware", str(file), "--elf", str(elf), *options, "--dry-run"]
    assert main(arguments) == 0, capsys.readouterr().err
    assert ("cfloader" if board == "crazyflie_2_1" else "0x08020000") in capsys.readouterr().out
    assert not written.exists()
    assert main(["check", str(elf), "--profile", board, "--json"]) == 0
    lines = {line["resource"]: line["used"] for line in json.loads(capsys.readouterr().out)["lines"]}
    # The network's part of the firmware has the buffers of pixels and scores in it, as the prediction has.
    network = load_graph(made.path)
    kept = layout(network, made.profile())
    assert lines["flash, network"] > kept.constants_bytes
    buffers = kept.arena_bytes + network.input.size + 4 * network.head.classes
    network_sram = sum(
        lines[f"{region.name}, network"] for region in made.profile().regions if region.kind == "sram"
    )
    assert buffers <= network_sram < buffers + 64
