"""The verb ``profiles``, through the command line's own entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolchain.cli.main import main
from toolchain.profiles import available


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["profiles", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def test_list_has_every_board(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert code == 0 and err == ""
    assert all(name in out for name in available())
    listed = document(capsys, "list")["profiles"]
    assert [entry["name"] for entry in listed] == available()
    nano = next(entry for entry in listed if entry["name"] == "jetson_nano")
    assert (nano["role"], nano["flash_bytes"], nano["latency_ms"]) == ("linux", None, 33.0)


@pytest.mark.parametrize("name", available())
def test_show_tells_sources_and_budget(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, "show", name)
    shown = document(capsys, "show", name)
    assert code == 0 and shown["profile"]["name"] == name
    assert shown["profile"]["source"] in out
    power = shown["profile"]["power"]
    assert (power is not None) == ("active_mw" in out)
    assert power is None or f"power: {power['source']}" in out
    for region in shown["profile"]["regions"]:
        assert region["source"] in out and f"{region['origin']:#010x}" in out
    assert shown["budget"]["flash_bytes"] or shown["budget"]["artifact_bytes"]
    assert "targets" not in out


def test_show_narrows(capsys: pytest.CaptureFixture[str]) -> None:
    shown = document(capsys, "show", "stm32f405", "--flash", "256KiB", "--sram", "64KiB", "--latency", "10")
    assert shown["budget"]["flash_bytes"] == 262_144
    assert shown["budget"]["sram_bytes"] == 65_536
    assert shown["budget"]["latency_ms"] == 10.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "stm32f450"), "did you mean stm32f405?"),
        (("show", "./nosuch.toml"), "nosuch.toml does not exist"),
        (("show", "stm32f405", "--flash", "2MiB"), "--flash may only narrow"),
        (("show", "stm32f405", "--flash", "lots"), "'lots' is no size"),
        (("new", "--from", "nosuch", "x.toml"), "no profile is called 'nosuch'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_3(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (3, "") and sentence in err and len(err.splitlines()) == 1


def test_validate_tells_every_finding_of_every_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('inherits = "stm32f405"\n[regions.sram]\nsize_bytes = 1000\norigin = 1\nsource = "s"\n')
    good = tmp_path / "good.toml"
    good.write_text('inherits = "stm32f405"\n')
    files = (str(bad), str(good), str(tmp_path / "nosuch.toml"), "rp2040")
    code, out, _ = run(capsys, "validate", *files)
    assert code == 3
    assert "size_bytes is 1000" in out and "origin is 0x1" in out and "nosuch.toml does not exist" in out
    assert f"{good}: valid" in out and "rp2040: valid" in out
    code, out, _ = run(capsys, "validate", *files, "--json")
    checked = json.loads(out)["files"]
    assert code == 3 and [entry["valid"] for entry in checked] == [False, True, False, True]
    rules = {finding["rule"]: finding["asks"] for finding in checked[0]["findings"]}
    assert rules["region_is_aligned"].startswith("A region starts at")


def test_validate_of_sound_files_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "validate", *available())[0] == 0


def test_new_writes_a_file_that_show_takes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "new", "--from", "crazyflie_2_1", "mine.toml")
    assert code == 0 and "--profile mine.toml" in out
    assert document(capsys, "show", "mine.toml")["profile"]["inherits"] == "crazyflie_2_1"
    before = (tmp_path / "mine.toml").read_bytes()
    code, _, err = run(capsys, "new", "--from", "rp2040", "mine.toml")
    assert code == 3 and "exists already" in err and (tmp_path / "mine.toml").read_bytes() == before
    assert document(capsys, "new", "--from", "rp2040", "other.toml") == {
        "file": "other.toml",
        "inherits": "rp2040",
    }


def test_a_hostile_file_does_not_drive_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "evil.toml"
    file.write_text('inherits = "stm32f405"\ntitle = "[red]\\u001b[31m"\n"\\u001b]0;x\\u0007" = 1\n')
    for arguments in (("show", str(file)), ("validate", str(file))):
        code, out, err = run(capsys, *arguments)
        assert code == 3 and "\x1b" not in out + err and "\x07" not in out + err


def test_heavy_libraries_are_not_imported() -> None:
    program = (
        "import sys; from toolchain.cli.main import main; main(['profiles', 'list']);"
        "heavy = {'torch', 'numpy', 'onnx', 'onnxruntime', 'unicorn', 'PIL'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
