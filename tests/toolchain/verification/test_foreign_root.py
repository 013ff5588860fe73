"""Roots of other architectures, with programs that stand in for debootstrap, dpkg and qemu-user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.stand_ins import stand_ins
from toolchain.errors import InputError, ToolMissingError
from toolchain.verification import foreign_root
from toolchain.verification.foreign_root import ARCHITECTURES


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    log = stand_ins(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(foreign_root, "_install_wheels", lambda *_: None)
    return log


def made(name: str = "aarch64") -> foreign_root.ForeignRoot:
    return foreign_root.foreign_root(name, lambda message: None)


def test_a_root_is_made_once_and_has_what_runtimes_read_as_they_start(log: Path, tmp_path: Path) -> None:
    root = made()
    assert root.path.parent == tmp_path / "cache" / "spikenas-deploy" / "roots"
    assert "0xd08" in (root.path / "proc" / "cpuinfo").read_text()
    system = root.path / "sys" / "devices" / "system" / "cpu"
    assert {file.name for file in system.iterdir()} == {"possible", "present", "online", "kernel_max"}
    assert not list((root.path / "var" / "cache" / "apt" / "archives").iterdir())
    told = log.read_text()
    assert "--foreign --arch=arm64 --variant=minbase" in told and "dpkg-deb -x" in told
    assert made() == root and log.read_text() == told


def test_the_core_is_always_named(log: Path) -> None:
    for name, core in (("aarch64", "cortex-a72"), ("armhf", "cortex-a7")):
        assert made(name).command()[1:3] == ["-cpu", core]


def test_libraries_of_debians_numpy_are_linked(log: Path) -> None:
    link = made("armhf").path / "usr" / "lib" / "arm-linux-gnueabihf" / "libblas.so.3"
    assert link.exists() and os.readlink(link) == "blas/libblas.so.3"


def test_what_fails_leaves_nothing(log: Path, tmp_path: Path) -> None:
    broken = log.with_name("log.broken")
    broken.touch()
    with pytest.raises(InputError, match="debootstrap: E: no such mirror; check the network"):
        made()
    folder = tmp_path / "cache" / "spikenas-deploy" / "roots"
    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    broken.unlink()
    assert made().path.is_dir()


@pytest.mark.parametrize("name", ["qemu-aarch64-static", "debootstrap"])
def test_a_missing_tool_is_named(log: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PATH", str(log.parent))
    (log.parent / name).unlink()
    with pytest.raises(
        ToolMissingError, match=f"needs {name}, which is not installed; `sudo apt-get install"
    ):
        made()


def test_without_roots_rights_fakeroot_is_asked_for(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(log.parent))
    (log.parent / "fakeroot").unlink()
    with pytest.raises(ToolMissingError, match="needs fakeroot"):
        made()


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_root, "SPACE_BYTES", 1 << 60)
    with pytest.raises(InputError, match="MB free; make room"):
        made()
    assert log.read_text() == ""


def test_an_unknown_architecture() -> None:
    with pytest.raises(InputError, match="'riscv64' is not emulated; --emulate takes aarch64, armhf"):
        made("riscv64")


def test_wheels_are_asked_for_by_platform_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(foreign_root, "_run", asked.append)
    for name in ARCHITECTURES:
        foreign_root._install_wheels(ARCHITECTURES[name], {"tflite_runtime": "2.14.0"}, tmp_path)
    first, second = asked
    assert "--only-binary=:all:" in first and "--python-version=3.11" in first
    assert "--platform=manylinux_2_34_aarch64" in first and "numpy==1.26.4" in first
    assert "--platform=manylinux_2_34_armv7l" in second and "--no-deps" in second
    assert first[-1] == second[-1] == "tflite-runtime==2.14.0"


def test_a_cache_that_is_not_absolute_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert foreign_root._cache() == tmp_path / ".cache" / "spikenas-deploy" / "roots"
