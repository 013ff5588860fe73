"""What pip is told: markers and pins hold on every Python and platform named, and a wheel holds everything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from toolchain import __version__
from toolchain.files import read_toml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = read_toml(ROOT / "pyproject.toml")["project"]
PLATFORMS = {
    "linux-x86_64": {"sys_platform": "linux", "platform_machine": "x86_64"},
    "linux-aarch64": {"sys_platform": "linux", "platform_machine": "aarch64"},
    "macos-arm64": {"sys_platform": "darwin", "platform_machine": "arm64"},
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


@pytest.fixture(params=[(p, s) for p in PYTHONS for s in PLATFORMS], ids="-".join)
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Marker variables of one Python on one platform."""
    python, platform = request.param
    return {
        **PLATFORMS[platform],
        "python_version": python,
        "python_full_version": f"{python}.1",
        "extra": "",
    }


def applying(lines: list[str], environment: dict[str, str]) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_exactly_the_named_pythons_are_accepted() -> None:
    accepted = SpecifierSet(PROJECT["requires-python"])
    assert [v for v in ("3.9", *PYTHONS, "3.14") if accepted.contains(v)] == list(PYTHONS)


def test_each_requirement_is_asked_for_once(environment: dict[str, str]) -> None:
    names = [r.name for r in applying(PROJECT["dependencies"], environment)]
    assert len(names) == len(set(names)) and {"torch", "numpy", "ai-edge-litert"} <= set(names)


def test_numpy_2_never_meets_the_interpreter_built_for_numpy_1(environment: dict[str, str]) -> None:
    chosen = {r.name: r for r in applying(PROJECT["dependencies"], environment)}
    python_has_numpy_1 = environment["python_version"] in ("3.10", "3.11")
    on_linux = environment["sys_platform"] == "linux"
    assert ("tflite-runtime" in chosen) == (on_linux and python_has_numpy_1)
    assert ("2.4.0" not in chosen["numpy"].specifier) == (on_linux and python_has_numpy_1)


def test_every_direct_requirement_has_one_pin_that_satisfies_it(environment: dict[str, str]) -> None:
    pins: dict[str, Version] = {}
    for pin in applying(constraints(), environment):
        (exact,) = pin.specifier
        assert exact.operator == "==" and canonicalize_name(pin.name) not in pins
        pins[canonicalize_name(pin.name)] = Version(exact.version)
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    for wanted in applying(PROJECT["dependencies"] + extras, environment):
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier, wanted


def test_no_committed_set_up_file_names_a_registry_or_a_machine() -> None:
    files = ["pyproject.toml", "constraints.txt", "requirements-check.txt", "action.yml", "Makefile"]
    files += [".ci/run", ".ci/resolve", ".ci/environment"]
    text = "\n".join((ROOT / name).read_text() for name in files)
    assert [word for word in ("://", "/home/", "/root/", "/work/") if word in text] == []


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_make_help_names_every_target() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    targets = [line.split()[1] for line in done.stdout.splitlines()]
    assert targets == [
        "install",
        "demo",
        "test",
        "lint",
        "types",
        "accept",
        "bench",
        "quality",
        "docs",
        "readme",
        "clean",
    ]


def run_environment_script(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ".ci/environment", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        # Stand-ins: refuse every -c (an unsuitable version), or only the one that asks for venv.
        ('case "$1" in -c) exit 1;; --version) echo Python 3.9.2;; esac', "Python 3.9.2"),
        ('case "$2" in *venv*) exit 1;; esac', "python3-venv"),
    ],
)
def test_an_unsuitable_python_is_refused_in_one_sentence(script: str, says: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    done = run_environment_script(tmp_path / "venv", str(python))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and says in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run_environment_script(tmp_path / "venv", "python9.9")
    assert done.returncode == 1 and "python9.9" in done.stderr


@pytest.mark.network
def test_a_wheel_holds_every_file_and_runs_elsewhere(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, ROOT], check=True, timeout=300)
    (wheel,) = tmp_path.glob(f"spikenas_deploy-{__version__}-*.whl")
    target = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True, timeout=300)
    tracked = subprocess.run(
        ["git", "ls-files", "toolchain", "exporters", "hardware_profiles"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.splitlines()
    assert [name for name in tracked if not (target / name).is_file()] == []
    done = subprocess.run(
        [sys.executable, "-m", "toolchain.cli.main", "profiles", "list", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "stm32f405" in done.stdout
