"""Broken artifacts of any format: one clear sentence each, nothing run, no crash."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from exporters import metadata
from tests.attacks.artifacts import GRAPH, IMAGES, READERS, RUNTIMES, refused, valid
from toolchain.errors import InputError


@pytest.mark.parametrize("name", READERS)
def test_files_that_are_no_artifacts(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert "does not exist" in refused(path)
    path.mkdir()
    assert "is not a file" in refused(path)
    path.rmdir()
    for content in (b"", b"\0" * 64, b"hello, this is text\n" * 10, b"TFL3" * 20, b"PK\x03\x04" + bytes(60)):
        refused(path, content)


@pytest.mark.parametrize("name", READERS)
def test_huge_files_are_not_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.truncate(metadata.MAX_ARTIFACT_BYTES + 1)
    assert f"more than the {metadata.MAX_ARTIFACT_BYTES:,}" in refused(path)


@pytest.mark.parametrize("name", READERS)
def test_truncated_files(name: str, tmp_path: Path) -> None:
    content = valid(name)
    for size in np.linspace(1, len(content) - 1, 12).astype(int):
        refused(tmp_path / name, content[:size])


@pytest.mark.parametrize("name", READERS)
def test_flipped_bytes_are_refused_or_harmless(name: str, tmp_path: Path) -> None:
    """A file that is still well-formed (a weight changed, say) must run; any other must be refused."""
    rng, path, content = random.Random(0), tmp_path / name, valid(name)
    refusals = 0
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            READERS[name](path)
            RUNTIMES[name](path).scores(IMAGES)
        except InputError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert 0 < refusals < 40


@pytest.mark.parametrize("name", READERS)
def test_what_is_refused_was_otherwise_fine(name: str, tmp_path: Path) -> None:
    """The untouched artifacts load and run, so each refusal in these modules is due to its change."""
    (tmp_path / name).write_bytes(valid(name))
    assert RUNTIMES[name](tmp_path / name).scores(IMAGES).shape == (2, GRAPH.head.classes)
