"""The verb ``flash`` as its user meets it: refusals end with a code and a sentence, results say what lies where."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.support.verified import verified_run
from toolchain import profiles, runs
from toolchain.cli.main import main
from toolchain.settings import RunSettings


def test_a_run_that_was_never_verified_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.create(tmp_path / "run", profiles.load("stm32f405"), RunSettings())
    assert main(["flash", str(run.path), "--json"]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["exit_code"] == 3 and "was never verified" in captured.err


def test_a_run_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash"]) == 2 and "RUN" in capsys.readouterr().err


def test_what_lies_where_is_told_with_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    run = verified_run(tmp_path / "run", "stm32f405")
    program = tmp_path / "bin" / "dfu-util"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$7" = --download ] || cp "{run.artifacts}/firmware.bin" "$8"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert main(["flash", str(run.path), "--tool", "dfu-util"]) == 0
    captured = capsys.readouterr()
    digest = hashlib.sha256((run.artifacts / "firmware.bin").read_bytes()).hexdigest()
    assert "Written to stm32f405 with dfu-util" in captured.out and digest in captured.out
    assert "flash at 0x08000000" in captured.out and "verified: read back over USB" in captured.out
    assert "note: this network knows the built-in digits: a demonstration" in captured.err
    assert "hold BOOT0" in captured.err and "running" in captured.err
