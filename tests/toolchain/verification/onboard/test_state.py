"""What boards tell of themselves, through the script that runs there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.toolchain.verification.onboard.conftest import Board
from toolchain.verification.onboard.connection import connected
from toolchain.verification.onboard.state import SCRIPT, State, parse_state, read_state


def fake(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def told(root: Path, path: str = "/usr/bin:/bin") -> State:
    words = ["sh", "-c", SCRIPT, "sh", str(root)]
    done = subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=True)
    return parse_state("a login script's words\n" + done.stdout)


PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "600000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/cpuinfo_max_freq": "1800000\n",
}


def test_a_raspberry_pi(tmp_path: Path) -> None:
    state = told(fake(tmp_path, PI))
    assert (state.model, state.system) == ("Raspberry Pi 4 Model B Rev 1.4", "Debian GNU/Linux 12 (bookworm)")
    assert (state.temperature_c, state.clock_mhz, state.highest_mhz) == (48.686, 600.0, 1800.0)
    assert state.machine and state.kernel and state.throttled is None


@pytest.mark.parametrize(
    ("word", "held"), [("0x0", False), ("0x50000", False), ("0x50005", True), ("0x8", True)]
)
def test_the_firmware_of_a_raspberry_pi_tells_of_now_and_before(
    tmp_path: Path, word: str, held: bool
) -> None:
    program = tmp_path / "bin" / "vcgencmd"
    fake(tmp_path, {"bin/vcgencmd": f"#!/bin/sh\necho throttled={word}\n"})
    program.chmod(0o755)
    assert told(tmp_path, f"{program.parent}:/usr/bin:/bin").throttled is held


def test_a_jetson_s_cooling_and_broken_sensors(tmp_path: Path) -> None:
    device = "sys/class/thermal/cooling_device"
    files = PI | {
        "proc/device-tree/model": "NVIDIA Jetson Nano Developer Kit\0",
        "sys/class/thermal/thermal_zone1/temp": "100000000\n",
        "sys/class/thermal/thermal_zone2/temp": "nonsense\n",
        f"{device}0/type": "thermal-cpufreq-0\n",
        f"{device}0/cur_state": "0\n",
        f"{device}1/type": "pwm-fan\n",
        f"{device}1/cur_state": "3\n",
    }
    state = told(fake(tmp_path, files))
    assert state.throttled is False and state.temperature_c == 48.686
    fake(tmp_path, {f"{device}0/cur_state": "2\n"})
    assert told(tmp_path).throttled is True


def test_a_system_that_tells_nothing(tmp_path: Path) -> None:
    state = told(tmp_path)
    assert (state.model, state.system) == ("", "")
    assert (state.temperature_c, state.clock_mhz, state.highest_mhz, state.throttled) == (None,) * 4


def test_what_a_stranger_says_is_cut_and_harmless() -> None:
    text = (
        "spikenas-state\nmodel\t\x1b[31mBoard "
        + "x" * 5000
        + "\nclock\t-5\nclock\t1e9\n"
        + "clock\t²\n" * 5000
    )
    state = parse_state(text)
    assert len(state.model) == 100 and state.model.isprintable() and state.clock_mhz is None
    assert parse_state("").model == "" and parse_state("model\tbefore the mark").model == ""


def test_over_ssh(board: Board) -> None:
    with connected(board.host, print) as connection:
        state = read_state(connection)
    assert state.machine and state.kernel
