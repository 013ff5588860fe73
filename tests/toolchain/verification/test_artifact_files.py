from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.graphs import random_graph
from toolchain.errors import InputError
from toolchain.profiles import load
from toolchain.verification.artifact_files import require_model

ONNX_BYTES = b"\x08\x08" + b"\x3a\x04" + b"\x12\x02ab"
"""ir_version 8, and a graph that has a name."""


def model(folder: Path, content: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_exported_models_pass(tmp_path: Path, name: str) -> None:
    from exporters.base import exporter

    for path in exporter(name).export(random_graph(2), load("raspberry_pi_4b"), tmp_path):
        assert require_model(path) == path.stat().st_size


def test_smallest_onnx_file_passes(tmp_path: Path) -> None:
    assert require_model(model(tmp_path, ONNX_BYTES)) == 8


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    external = b"\x6a\x02\x0a\x00"
    graph = b"\x2a" + bytes([len(external)]) + external
    content = b"\x08\x08\x3a" + bytes([len(graph)]) + graph
    with pytest.raises(InputError, match="keeps weights in other files"):
        require_model(model(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"not an onnx file at all",
        bytes(100),
        b"\xff" * 100,
        ONNX_BYTES[:-1],
        ONNX_BYTES + b"\x3a\xff\xff\xff\xff\x0f",
        b"\x08\x08" + b"\x08\x07" * 10,
        b"\x3b" * 50,
    ],
)
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="is no model|is not an ONNX file"):
        require_model(model(tmp_path, content))


def test_what_is_no_tflite_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a TFLite file"):
        require_model(model(tmp_path, bytes(100), "model.tflite"))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read .*No such file"):
        require_model(tmp_path / "model.onnx")
    with pytest.raises(InputError, match="is not a file"):
        require_model(tmp_path)


def test_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with path.open("wb") as stream:
        stream.truncate(3 * 1024**3)
    with pytest.raises(InputError, match="has 3,221,225,472 bytes and is no model"):
        require_model(path)
