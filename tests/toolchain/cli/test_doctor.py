from __future__ import annotations

import json
from typing import Literal

import pytest

from toolchain.cli import doctor
from toolchain.cli.main import main
from toolchain.environment.inventory import CORE, SYSTEM, Finding


def finding(name: str, group: str, status: Literal["ok", "missing", "broken"]) -> Finding:
    fine = status == "ok"
    return Finding(
        name, group, "purpose", status, "1.0", None if fine else "why", None if fine else ("mend", "a b")
    )


def test_this_environment_is_fit_for_the_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["core_works"] is True
    states = {c["name"]: c["status"] for c in document["components"]}
    assert states["torch"] == states["ai-edge-litert"] == states["onnxruntime"] == "ok"


def test_what_only_some_boards_need_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [finding("torch", CORE, "ok"), finding("qemu-system-arm", SYSTEM, "missing")]
    monkeypatch.setattr(doctor, "take_inventory", lambda: found)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "qemu-system-arm: missing; why\n    mend 'a b'\n" in out
    assert "arm-none-eabi-gcc + qemu-system-arm: not ready" in out and out.endswith("The core works.\n")


def test_a_broken_core_is_exit_6_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "take_inventory", lambda: [finding("tflite-runtime", CORE, "broken")])
    assert main(["doctor"]) == 6
    assert capsys.readouterr().out.endswith("The core does not work: tflite-runtime.\n")
    assert main(["doctor", "--json"]) == 6
    assert json.loads(capsys.readouterr().out)["core_works"] is False


def test_a_tool_pair_is_ready_when_all_of_it_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [finding(name, "mcu", "ok") for name in ("ziglang", "unicorn", "capstone", "pyelftools")]
    monkeypatch.setattr(doctor, "take_inventory", lambda: found)
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["firmware_tool_pairs"] == {
        "ziglang + unicorn": True,
        "arm-none-eabi-gcc + qemu-system-arm": False,
    }
