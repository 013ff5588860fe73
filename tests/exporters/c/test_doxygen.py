"""Every name of the headers that an application uses is described: Doxygen finds nothing to say."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from exporters.c import export
from tests.support.graphs import of_numbers, random_graph
from toolchain import profiles
from toolchain.graph.graph import Graph

PUBLIC = ("net.h", "snn_camera.h", "snn_cycles.h", "spikenas_console.h")
"""What an application uses. The other headers are the kernels' own, whose fields may speak for themselves."""

SETTINGS = """\
OPTIMIZE_OUTPUT_FOR_C  = YES
EXTRACT_STATIC         = YES
MACRO_EXPANSION        = YES
EXPAND_ONLY_PREDEF     = YES
PREDEFINED             = "__attribute__(x)="
WARN_AS_ERROR          = FAIL_ON_WARNINGS
GENERATE_LATEX         = NO
HAVE_DOT               = NO
QUIET                  = YES
"""
STRICT = "WARN_IF_UNDOCUMENTED = YES\nWARN_NO_PARAMDOC = YES\n"
LENIENT = "WARN_IF_UNDOCUMENTED = NO\nEXTRACT_ALL = NO\n"


def doxygen(program: str, folder: Path, headers: Iterable[str], settings: str) -> tuple[int, str]:
    """Exit status and complaints."""
    files = " ".join(str(folder / "c" / name) for name in headers)
    (folder / "Doxyfile").write_text(f"INPUT = {files}\nOUTPUT_DIRECTORY = {folder}\n{SETTINGS}{settings}")
    found = subprocess.run(
        [program, "Doxyfile"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return found.returncode, found.stderr


@pytest.mark.parametrize(
    "graph", [random_graph(1), random_graph(2, framed=True), of_numbers(random_graph(2))]
)
def test_headers_are_described(tmp_path: Path, graph: Graph, require_tool: Callable[[str], str]) -> None:
    export(graph, profiles.load("stm32f405"), tmp_path)
    assert doxygen(require_tool("doxygen"), tmp_path, PUBLIC, STRICT) == (0, "")


def test_what_the_kernels_headers_say_is_right(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    export(random_graph(1), profiles.load("stm32f405"), tmp_path)
    names = [path.name for path in (tmp_path / "c").glob("*.h") if path.name not in PUBLIC]
    assert "snn.h" in names
    assert doxygen(require_tool("doxygen"), tmp_path, names, LENIENT) == (0, "")


def test_a_parameter_that_is_not_described_is_found(
    tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    export(random_graph(1), profiles.load("stm32f405"), tmp_path)
    header = tmp_path / "c" / "net.h"
    header.write_text(header.read_text().replace("@param scores", "@param points", 1))
    status, complaints = doxygen(require_tool("doxygen"), tmp_path, PUBLIC, STRICT)
    assert status != 0 and "scores" in complaints
