"""The guide's snippets compile, without a warning, as C files of a firmware with the networks that they name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.c import compilers, export
from tests.exporters.c.test_preprocessing import NETWORKS, framed
from tests.support.graphs import random_graph
from toolchain import profiles

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "firmware-api.md"
SNIPPETS = re.findall(r"^```c\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
GRAPHS = {
    "net": NETWORKS["rgb"],
    "gesture": random_graph(1),
    "keyword": random_graph(2),
    "eyes": framed(3, window_us=50_000),
    "wrist": framed(3, window_us=60_000),
}
STREAMS = {"wrist"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    base = tmp_path_factory.mktemp("guide")
    board = profiles.load("stm32f405")
    return [
        export(graph, board, base / name, prefix=name, schedule="steps" if name in STREAMS else "layers")[
            0
        ].parent
        for name, graph in GRAPHS.items()
    ]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda text: re.findall(r"(\w+)\(", text)[0])
def test_it_compiles(
    snippet: str, folders: list[Path], tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    (tmp_path / "snippet.c").write_text(snippet)
    paths = [f"-I{folder}" for folder in folders]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-c"]
    done = compilers.run([require_tool("gcc"), *flags, *paths, "snippet.c", "-o", "snippet.o"], tmp_path)
    assert done.returncode == 0, done.stderr


def test_all_of_them_are_read() -> None:
    assert len(SNIPPETS) == 5
