"""Fixtures for every room: tools that may be absent on a developer's machine, and must not be in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run side by side (`make test` takes one process a core), so none may take several cores or be judged by time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("spikenas", deadline=None)
settings.load_profile("spikenas")

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def _absent(what: str, how: str) -> None:
    reason = f"{what} is not installed; {how}"
    # .ci/run installs everything, so there an absence is a fault of the script, not of the machine.
    if os.environ.get("SPIKENAS_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """``require_tool(name)``: path of a program; skips the test if it is not installed, fails it under ``.ci/run``."""

    def require(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _absent(name, "`spikenas-deploy doctor` says how to install it")
        return str(path)

    return require


@pytest.fixture(scope="session")
def require_package() -> Callable[[str], None]:
    """``require_package(import_name)``: the same for a Python package."""

    def require(name: str) -> None:
        if find_spec(name) is None:
            _absent(name, "`spikenas-deploy doctor` says how to install it")

    return require


@pytest.fixture
def tflm(require_package: Callable[[str], None]) -> None:
    """TensorFlow Lite Micro; its wheel is for Linux on x86-64."""
    require_package("tflite_micro")


@pytest.fixture
def fashion_mnist() -> Path:
    """Folder of the four IDX files of Fashion-MNIST; skips or fails like ``require_tool``."""
    if not FASHION_MNIST.is_dir():
        _absent("Fashion-MNIST", "sudo apt-get install --no-install-recommends dataset-fashion-mnist")
    return FASHION_MNIST
