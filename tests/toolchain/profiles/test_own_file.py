"""A calibration in a user's own profile: what is written, what is kept, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.profiles.inheritance import SHIPPED
from toolchain.profiles.own_file import write_calibration
from toolchain.profiles.schema import Calibration

PI = load("raspberry_pi_4b")


def calibration(rate: float = 1.25e9) -> Calibration:
    return Calibration(
        board='Raspberry Pi 4 "B"',
        measured_on="2026-01-31",
        onnx_macs_per_second=rate,
        source="measured on Raspberry Pi 4",
    )


def test_a_new_file_inherits_the_board_and_adds_the_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    write_calibration(file, PI, calibration())
    title = f"{PI.title}, calibrated"
    own = {"name": "mine", "title": title, "inherits": PI.name, "calibration": calibration()}
    assert load(file) == PI.model_copy(update=own)


def test_every_other_line_of_an_own_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    head = 'inherits = "raspberry_pi_4b"  # [calibration] is not here\n\n'
    tail = '[linux]\nlatency_ms = 20.0 # mine\nsource = "estimate: faster"\n'
    file.write_text(
        f"{head}[calibration] # old\nboard = 'x'\nmeasured_on = '2025-01-31'\nsource = 's'\n"
        f"onnx_macs_per_second = 1.0\n{tail}"
    )
    write_calibration(file, PI, calibration(2e9))
    text = file.read_text()
    assert text.startswith(head + tail) and text.count("board =") == 1 and "'x'" not in text
    profile = load(file)
    assert profile.calibration == calibration(2e9) and profile.linux and profile.linux.latency_ms == 20.0
    write_calibration(file, PI, calibration(3e9))
    assert file.read_text() == text.replace("2000000000.0", "3000000000.0")


def test_a_profile_beside_it_is_inherited(tmp_path: Path) -> None:
    own = tmp_path / "lab_pi.toml"
    own.write_text('inherits = "raspberry_pi_4b"\ntitle = "In the lab"\n')
    write_calibration(tmp_path / "measured.toml", load(own), calibration())
    assert load(tmp_path / "measured.toml").inherits == "lab_pi" and "calibration" not in own.read_text()
    with pytest.raises(InputError, match="which is neither shipped nor in"):
        write_calibration(tmp_path / "other" / "measured.toml", load(own), calibration())


def test_shipped_profiles_and_other_boards_are_left_alone(tmp_path: Path) -> None:
    shipped = SHIPPED / "raspberry_pi_4b.toml"
    before = shipped.read_text()
    with pytest.raises(InputError, match="shipped profile, which stays as it is"):
        write_calibration(shipped, PI, calibration())
    assert shipped.read_text() == before
    with pytest.raises(InputError, match=r"call the file NAME\.toml"):
        write_calibration(tmp_path / "no name.toml", PI, calibration())
    other = tmp_path / "jetson.toml"
    other.write_text('inherits = "jetson_nano"\n')
    with pytest.raises(InputError, match="describes another board than raspberry_pi_4b"):
        write_calibration(other, PI, calibration())
    assert other.read_text() == 'inherits = "jetson_nano"\n'


@pytest.mark.parametrize(
    "text",
    [
        'calibration = {board = "x", measured_on = "2026-01-31", onnx_macs_per_second = 1.0, source = "s"}',
        'calibration.board = "x"\ncalibration.measured_on = "2026-01-31"\ncalibration.onnx_macs_per_second = 1.0\n'
        'calibration.source = "s"',
    ],
)
def test_a_table_in_an_unusual_form_is_not_guessed_at(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'inherits = "raspberry_pi_4b"\n{text}\n')
    with pytest.raises(InputError, match=r"unusual way; write it as a table, \[calibration\]"):
        write_calibration(file, PI, calibration())
    assert text in file.read_text()
