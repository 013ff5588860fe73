"""``verify --serial`` for real: firmware made from the exported example, on a QEMU board whose UART is a port."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from exporters.base import exporter
from exporters.c import export
from exporters.c.arrays import pixels_last
from exporters.c.build import build
from tests.support.console import QemuBoard, board_console
from tests.support.graphs import random_graph, random_images
from tests.toolchain.cli.test_verify import network, verify
from toolchain import profiles, runs
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.storage import save_graph
from toolchain.settings import RunSettings
from toolchain.verification.console_session import Limits
from toolchain.verification.serial_port import open_console

BOARD = "nrf52840"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("unicorn")
    shutil.which("arm-none-eabi-gcc") or pytest.skip("arm-none-eabi-gcc is not installed")
    made = runs.create(tmp_path_factory.mktemp("runs") / "digits", profiles.load(BOARD), RunSettings())
    save_graph(network(), made.path)
    exporter("c").export(network(), made.profile(), made.artifacts)
    build(made.artifacts / "c", made.profile(), "gcc")
    return made.path


@pytest.fixture(autouse=True)
def _tools(require_tool: Callable[[str], str], require_package: Callable[[str], None]) -> None:
    require_package("serial")
    for program in ("qemu-system-arm", "arm-none-eabi-gcc"):
        require_tool(program)


@pytest.fixture(scope="module")
def firmware(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return board_console(run / "artifacts" / "c", tmp_path_factory.mktemp("firmware"))


@pytest.fixture
def board(firmware: Path) -> Iterator[QemuBoard]:
    with QemuBoard(firmware) as found:
        yield found


def test_the_board_s_integers_are_the_reference_s(
    capsys: pytest.CaptureFixture[str], run: Path, board: QemuBoard
) -> None:
    code, out, err = verify(capsys, run, "--samples", 5, "--serial", board.port)
    assert code == 0, err
    assert "running the known-answer test" in err
    found = json.loads((run / "report.json").read_text())
    row = next(row for row in found["comparisons"] if row["artifact"] == "firmware on the board")
    assert (row["images"], row["integers"], row["differing"], row["evidence"]) == (5, 50, 0, "measured")
    (told,) = found["consoles"]
    assert told["known_answer"] and told["evidence"] == "measured" and told["prefix"] == "net"
    assert told["counted"] == "time" and told["clock_from"] == "profile" and told["clock_hz"] == 64_000_000
    assert 0 < told["latency_us"] <= told["latency_most_us"] and len(told["first_cycles"]) == 2
    assert re.search(rf"passed for {BOARD}; also run on the board on {board.port}", out)


def test_what_was_measured_calibrates_the_user_s_profile(
    capsys: pytest.CaptureFixture[str], run: Path, board: QemuBoard, tmp_path: Path
) -> None:
    own = tmp_path / "my_board.toml"
    code, _, err = verify(capsys, run, "--samples", 2, "--serial", board.port, "--calibrate", own)
    assert code == 0 and f"wrote the calibration to {own}" in err
    assert "cycles an instruction are fewer than a core can do" in err, "QEMU's time is this machine's"
    written, report = profiles.load(own), json.loads((run / "report.json").read_text())
    cycles = sum(report["consoles"][0]["first_cycles"])
    instructions = sum(report["firmware"][0]["instructions"])
    assert written.calibration is not None and written.calibration.cycles_per_instruction == pytest.approx(
        cycles / instructions
    )
    assert board.port in written.calibration.board and "64 MHz" in written.calibration.board


def test_log_lines_on_the_same_port(run: Path, tmp_path: Path) -> None:
    """They fall into answers too; another core runs the same network."""
    elf = board_console(run / "artifacts" / "c", tmp_path, "-DCHATTER")
    images = random_images(network(), 3)
    with QemuBoard(elf, "mps2-an500") as board, open_console(board.port) as console:
        assert console.self_test()
        found = [console.infer(pixels_last(image).tobytes())[0] for image in images]
    np.testing.assert_array_equal(found, reference.scores(network(), images))


def test_a_board_that_does_not_tell_how_long_it_takes(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    elf, own = board_console(run / "artifacts" / "c", tmp_path, counter=False), tmp_path / "my_board.toml"
    with QemuBoard(elf) as board:
        code, _, err = verify(capsys, run, "--samples", 1, "--serial", board.port, "--calibrate", own)
    assert code == 3 and "--calibrate has nothing to write" in err and not own.exists()


def test_a_tampered_weight_is_exit_5(capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path) -> None:
    sources = Path(shutil.copytree(run / "artifacts" / "c", tmp_path / "c"))
    text = (sources / "net.c").read_text()
    changed = re.sub(r"(net_head_weights\[\d+\] = \{\s*-?\d+, )-?\d+", r"\g<1>1", text)
    assert changed != text
    (sources / "net.c").write_text(changed)
    with QemuBoard(board_console(sources, tmp_path)) as board:
        own = tmp_path / "my_board.toml"
        code, _, err = verify(capsys, run, "--samples", 3, "--serial", board.port, "--calibrate", own)
    assert code == 5
    assert "fails its known-answer test" in err and "firmware on the board" in err and not own.exists()
    found = json.loads((run / "report.json").read_text())
    assert not found["passed"] and not found["consoles"][0]["known_answer"]


def test_another_network_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    sources = export(random_graph(14), profiles.load(BOARD), tmp_path)[0].parent
    (run / "report.json").unlink(missing_ok=True)
    with QemuBoard(board_console(sources, tmp_path)) as board:
        code, _, err = verify(capsys, run, "--samples", 3, "--serial", board.port)
    assert code == 3 and re.search(r"runs another network \(sha256 \w{12}\.\.\., .*build its firmware", err)
    assert not (run / "report.json").exists()


def test_a_board_that_hangs_on_the_way(run: Path, tmp_path: Path) -> None:
    elf = board_console(run / "artifacts" / "c", tmp_path, "-DDEAF_AFTER=400")
    with QemuBoard(elf) as board, open_console(board.port, limits=Limits(answer_s=0.2)) as console:
        with pytest.raises(InputError, match="stopped answering .* receive buffer holds a whole line"):
            console.infer(bytes(256))


def test_a_port_that_is_not_there_is_exit_3(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    code, _, err = verify(capsys, run, "--serial", tmp_path / "ttyACM9", "--baud", 9600)
    assert code == 3 and "there is no serial port" in err


def test_a_linux_board_has_no_console(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = runs.create(tmp_path / "pi", profiles.load("raspberry_pi_4b"), RunSettings())
    save_graph(network(), made.path)
    code, _, err = verify(capsys, made.path, "--serial", "/dev/ttyACM0")
    assert code == 3 and "--serial is for microcontrollers" in err and "--host" in err


def test_calibrating_needs_a_board(capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path) -> None:
    code, _, err = verify(capsys, run, "--calibrate", tmp_path / "my_board.toml")
    assert code == 2 and "--serial" in err
