"""The test firmware, built once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import firmware


@pytest.fixture(scope="session")
def fixture_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware of ``tests.support.firmware``."""
    pytest.importorskip("ziglang", reason="builds the test firmware")
    return firmware.build(tmp_path_factory.mktemp("firmware"))
