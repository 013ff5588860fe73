from __future__ import annotations

import json
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from toolchain.environment import inventory
from toolchain.environment.probes import PROBES
from toolchain.errors import ToolMissingError


def declare(monkeypatch: pytest.MonkeyPatch, requirements: list[str], versions: dict[str, str]) -> None:
    """Make our distribution require these, with these versions installed."""
    monkeypatch.setattr(
        inventory, "requirements", lambda: [(inventory.CORE, Requirement(r)) for r in requirements]
    )
    monkeypatch.setattr(inventory, "_version", versions.get)
    monkeypatch.setattr(inventory, "SYSTEM_TOOLS", ())
    monkeypatch.setattr(inventory, "_try_packages", lambda names: dict.fromkeys(names))


def test_requirements_are_those_of_this_python_and_leave_development_out() -> None:
    names = [r.name for _, r in inventory.requirements()]
    assert {"torch", "onnx", "ziglang"} <= set(names) and "pytest" not in names
    assert names.count("numpy") == 1


def test_every_purpose_and_probe_belongs_to_a_requirement() -> None:
    declared = {Requirement(text).name for text in metadata.requires("spikenas-deploy") or []}
    assert set(inventory.PURPOSES) <= declared and set(PROBES) <= declared
    assert {r.name for _, r in inventory.requirements()} <= set(inventory.PURPOSES)


def test_missing_and_wrong_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, ["numpy>=1.26,<2", "onnx>=1.17"], {"numpy": "2.4.6"})
    numpy, onnx = inventory.take_inventory()
    assert (numpy.status, numpy.version) == ("wrong version", "2.4.6")
    assert numpy.install is not None and numpy.install[-1] == "numpy<2,>=1.26"
    assert (onnx.status, onnx.version) == ("missing", None)


def test_a_local_build_satisfies_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, ["torch>=2.6"], {"torch": "2.13.0+cpu"})
    assert inventory.take_inventory()[0].status == "ok"


def test_a_package_that_does_not_work_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, ["tflite-runtime==2.14.*"], {"tflite-runtime": "2.14.0"})
    monkeypatch.setattr(
        inventory, "_try_packages", lambda names: dict.fromkeys(names, "SystemError: numpy 2")
    )
    (finding,) = inventory.take_inventory()
    assert (finding.status, finding.detail) == ("broken", "SystemError: numpy 2")
    assert finding.install is not None and "--force-reinstall" in finding.install


def test_a_crash_is_blamed_on_the_package_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        names = command[3:]
        told = [n for n in names if names.index(n) < names.index("b")] if "b" in names else names
        lines = [json.dumps({"name": n, "error": None}) for n in told]
        return subprocess.CompletedProcess(command, -11 if "b" in names else 0, "\n".join(["noise", *lines]))

    monkeypatch.setattr(inventory.subprocess, "run", run)
    errors = inventory._try_packages(["a", "b", "c"])
    assert errors == {"a": None, "b": "ended Python with status -11", "c": None}


def test_a_hang_is_blamed_on_the_package_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if "b" in command:
            raise subprocess.TimeoutExpired(command, 1, output=b'{"name": "a", "error": null}\n')
        return subprocess.CompletedProcess(command, 0, '{"name": "c", "error": null}\n')

    monkeypatch.setattr(inventory.subprocess, "run", run)
    errors = inventory._try_packages(["a", "b", "c"])
    assert errors["a"] is None and errors["c"] is None
    assert errors["b"] is not None and "no answer within" in errors["b"]


@pytest.mark.parametrize(
    ("script", "status", "version"),
    [
        ("echo 'arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205'", "ok", "12.2.1"),
        ("echo 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)'", "ok", "7.2.22"),
        ("exit 3", "broken", None),
    ],
)
def test_a_system_tool_tells_its_version(
    script: str, status: str, version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "armcc"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    finding = inventory._find_tool(inventory.SystemTool("armcc", "gcc-arm", "compiles"))
    assert (finding.status, finding.version) == (status, version)


def test_an_absent_tool_names_the_package_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = inventory._find_tool(inventory.SystemTool("armcc", "gcc-arm", "compiles"))
    assert finding.status == "missing" and finding.install is not None
    assert finding.install[-1] == "gcc-arm"


def test_a_source_tree_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "DISTRIBUTION", "spikenas-deploy-not-here")
    with pytest.raises(ToolMissingError, match="make install"):
        inventory.take_inventory()
