"""The verb ``verify``, through the command line's own entry point, on the built-in digits."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from exporters.base import exporter
from exporters.c.build import build
from toolchain import runs
from toolchain.cli.main import main
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif, PixelConv, Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.settings import LimitSettings, RunSettings


def network() -> Graph:
    """A tiny untaught network for the digits: one layer of four channels."""
    rng = np.random.default_rng(0)
    shape = Shape(4, 8, 8)
    stem = Lif(
        "stem",
        shape,
        (
            PixelConv(
                "pixels", 3, 2, rng.integers(-50, 50, (4, 1, 3, 3)).astype(np.int8), np.full(4, 4, np.uint8)
            ),
        ),
        bias=np.zeros(4, np.int16),
        threshold=np.full(4, 100, np.int16),
        exponent=np.full(4, 8, np.uint8),
    )
    head = Head(
        "head",
        "stem",
        10,
        "count",
        rng.integers(-100, 100, (10, 4)).astype(np.int8),
        np.zeros(10, np.int32),
        4,
    )
    return Graph(
        (Input("pixels", Shape(1, 16, 16)), stem, head),
        2,
        Preprocessing(16, 16, "grey"),
        tuple(map(str, range(10))),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    profile = load("stm32f405")
    made = runs.create(tmp_path_factory.mktemp("runs") / "digits", profile, RunSettings())
    save_graph(network(), made.path)
    exporter("c").export(network(), profile, made.artifacts)
    build(made.artifacts / "c", profile, "zig")
    return made.path


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["verify", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_passes_and_says_on_what_evidence(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, err = verify(capsys, run, "--samples", 5)
    assert code == 0
    assert all(word in out for word in ("0 of 50", "Predicted against used", "emulated", "Budget", "stack"))
    assert out.endswith("passed for stm32f405; nothing here was measured on a board\n")
    assert "computing the reference for 5 images" in err


def test_json_is_the_verdict(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, _ = verify(capsys, run, "--samples", 5, "--json")
    document = json.loads(out)
    assert code == 0 and document["passed"] and document["run"] == str(run)
    assert document | json.loads((run / "report.json").read_text()) == document


def test_markdown(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    _, out, _ = verify(capsys, run, "--samples", 5, "--markdown")
    assert "### Integers against the reference" in out and "- passed for stm32f405" in out


def test_all_test_images_by_default(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    _, out, _ = verify(capsys, run, "--json")
    document = json.loads(out)
    assert document["comparisons"][0]["images"] == document["images"] > 100


def test_differing_integers_are_exit_5(capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    source = copy / "artifacts" / "c" / "net.c"
    text = source.read_text()
    source.write_text(re.sub(r"(net_head_weights\[\d+\] = \{\s*)-?\d+", r"\g<1>1", text))
    assert source.read_text() != text
    build(source.parent, load("stm32f405"), "zig")
    code, out, err = verify(capsys, copy, "--samples", 5)
    assert code == 5
    assert "integers differ from the reference" in err and "FAILED for stm32f405" in out


def test_a_page_that_is_there_is_drawn_again(
    capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path
) -> None:
    copy = runs.RunFolder(Path(shutil.copytree(run, tmp_path / "run")))
    assert verify(capsys, copy.path, "--samples", 5)[0] == 0
    assert not copy.page.exists(), "verify makes no page of its own"
    assert main(["report", str(copy.path), "--samples", "5"]) == 0
    copy.save_settings(RunSettings(limits=LimitSettings(flash_bytes=1024)))
    code, _, err = verify(capsys, copy.path, "--samples", 5)
    assert code == 4 and f"drew {copy.page} again" in err
    assert "✗ FAILED" in copy.page.read_text(encoding="utf-8")


def test_over_budget_is_exit_4(capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path) -> None:
    copy = runs.RunFolder(Path(shutil.copytree(run, tmp_path / "run")))
    copy.save_settings(RunSettings(limits=LimitSettings(flash_bytes=1024)))
    code, _, err = verify(capsys, copy.path, "--samples", 5)
    assert code == 4 and "firmware.elf is over budget" in err


def test_wrong_input_is_one_sentence(capsys: pytest.CaptureFixture[str], run: Path, tmp_path: Path) -> None:
    code, out, err = verify(capsys, tmp_path)
    assert (code, out) == (3, "") and "is not a run folder" in err
    assert verify(capsys, run, "--samples", 0)[0] == 2
    assert verify(capsys, run, "--compiler", "msvc")[0] == 2
