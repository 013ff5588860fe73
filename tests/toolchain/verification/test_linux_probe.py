"""The program that is copied to boards: one file, for Python 3.6 on."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from toolchain.verification import linux_probe

SOURCE = Path(linux_probe.__file__).read_text()

STANDARD = {"base64", "io", "json", "os", "sys", "time", "importlib", "typing"}
NEWER = {
    # 3.7
    "annotations",
    "perf_counter_ns",
    "time_ns",
    "monotonic_ns",
    "fromisoformat",
    "capture_output",
    "breakpoint",
    # 3.8
    "Literal",
    "Final",
    "Protocol",
    "TypedDict",
    "cached_property",
    "prod",
    # 3.9
    "removeprefix",
    "removesuffix",
    "Annotated",
}


def test_it_is_python_3_6() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
            names |= {alias.name for alias in node.names}
        # list[int] and int | None in annotations are evaluated there.
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            assert node.value.id not in {"list", "dict", "tuple", "set", "type"}
        annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
        assert annotation is None or "|" not in ast.unparse(annotation)
    assert imported <= STANDARD and not names & NEWER


def test_versions_of_what_is_there_and_why_the_rest_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.interpreter", raising=False)
    linux_probe.main("versions")
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith(linux_probe.MARK)
    told = json.loads(line[len(linux_probe.MARK) :])
    assert told["found"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert told["found"]["onnxruntime"] and "ModuleNotFoundError" in told["missing"]["ai_edge_litert"]
