"""What a search lets through keeps to every limit when it is exported and weighed, linked, and run.

All algorithms take their networks from those that the cost model lets through, so it is these that are measured:
with the integers of nobody's training, since no limit depends on them. Tightest are budgets of just what some
network is predicted to take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import exporters.onnx.snasnet
from exporters.base import exporter
from exporters.c.build import build
from exporters.c.cores import CORES
from exporters.onnx import tensorrt
from tests.support.architectures import filled
from toolchain import profiles
from toolchain.architecture.architecture import Architecture
from toolchain.architecture.cells import distinct_cells
from toolchain.architecture.text import to_text
from toolchain.cost.artifacts import resident_bytes
from toolchain.cost.code_size import measured_version
from toolchain.cost.layout import layout
from toolchain.errors import OverBudgetError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Shape
from toolchain.graph.preprocessing import Preprocessing
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.profiles.budget import budget
from toolchain.search.algorithms.random_draws import draws
from toolchain.search.algorithms.spikenas import kinds_of
from toolchain.search.board import FRAME_MS, Board, Verdict
from toolchain.search.candidates import Candidate
from toolchain.search.feasible import feasible_sizes
from toolchain.search.pool import build_pool
from toolchain.search.screening import Screen
from toolchain.search.snasnet.sizes import largest_fitting, with_cell
from toolchain.search.space import LEAKS
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.check import check_file
from toolchain.verification.elf import read_elf
from toolchain.verification.footprint_proof import findings, proofs
from toolchain.verification.linux_cost import measure
from toolchain.verification.prediction import predicted_lines
from toolchain.verification.runtimes.tflite import available

PROFILES = {name: profiles.load(name) for name in profiles.available()}
LINUX = [name for name, profile in PROFILES.items() if profile.linux]
BUILT = [name for name, profile in PROFILES.items() if profile.core in CORES]
SHAPES = (Shape(1, 16, 16), Shape(1, 28, 28), Shape(3, 32, 32))
LARGEST_WEIGHED = 600_000
"""Larger networks take too long to write here; nothing in a file of this size is counted otherwise than in theirs."""


def make_board(name: str, shape: Shape, classes: int, **limits: Any) -> Board:
    """The board ``name`` for images of ``shape``, with narrowed ``limits``."""
    profile = PROFILES[name]
    allowed = budget(profile, **limits)
    preprocessing = Preprocessing(shape.height, shape.width, "grey" if shape.channels == 1 else "rgb")
    pace = FRAME_MS if profile.core is not None and allowed.latency_ms is None else None
    labels = tuple(f"Klasse {index}" for index in range(classes))
    return Board(profile, allowed, shape, preprocessing, labels, False, pace)


@st.composite
def boards(draw: st.DrawFn, names: list[str]) -> Board:
    """Boards with random budgets, some of which nothing keeps."""
    name = draw(st.sampled_from(names))
    whole, limits = budget(PROFILES[name]), dict[str, Any]()
    for limit in ("artifact_bytes", "resident_bytes", "flash_bytes", "sram_bytes"):
        most = getattr(whole, limit)
        if most is not None and draw(st.booleans()):
            limits[limit] = int(most * 2 ** -draw(st.floats(0, 7)))
    if draw(st.booleans()):
        limits["latency_ms"] = (whole.latency_ms or 40.0) * draw(st.floats(0.05, 1))
    if draw(st.booleans()):
        limits["operations"] = draw(st.integers(10**5, 10**8))
    if PROFILES[name].power is not None and draw(st.booleans()):
        limits["energy_mj"] = draw(st.floats(0.5, 100))
    return make_board(name, draw(st.sampled_from(SHAPES)), draw(st.integers(2, 120)), **limits)


def let_through(board: Board, seed: int) -> Iterator[Candidate]:
    """What algorithms choose from on ``board``: the pool or, by the seed, draws; nothing if it can take no network."""
    try:
        feasible = feasible_sizes(board)
    except OverBudgetError:
        return
    if seed % 3:
        yield from islice(draws(feasible, np.random.default_rng(seed)), 24)
    else:
        yield from build_pool(feasible, kinds_of(feasible, ()), 6)


def share(board: Board, verdict: Verdict) -> float:
    """The largest share of a limit that a network takes, at most 1."""
    return max(taken / available for _, taken, available in board.held(verdict.footprint))  # type: ignore[type-var,operator]


def nearest(board: Board, seed: int, count: int) -> list[Architecture]:
    """Of what is let through, and is not too large for a test, what comes nearest to a limit."""
    found = [each.verdict for each in let_through(board, seed)]
    found = [each for each in found if (each.footprint.artifact_bytes or 0) < LARGEST_WEIGHED]
    assert all(each.fits for each in found)
    found.sort(key=lambda each: -share(board, each))
    return [each.architecture for each in found[:count]]  # type: ignore[misc]


def measured(board: Board, graph: Graph, folder: Path) -> list[BudgetLine]:
    """Every limit of ``board`` with what its default artifacts have of it; estimates where nothing can be measured."""
    lines = [line for line in predicted_lines(graph, board.profile, board.limits) if line.unit != "bytes"]
    for name in board.profile.default_formats:
        paths = exporter(name).export(graph, board.profile, folder)
        if name == "c":
            firmware = build(folder / "c", board.profile, "zig")
            paths = [firmware.elf, firmware.binary]
        lines += [line for path in paths for line in check_file(path, board.profile, board.limits)]
    return lines


def assert_kept(board: Board, architecture: Architecture, folder: Path) -> Graph:
    """Export ``architecture`` for ``board``, and hold everything that came out against the budget."""
    graph = filled(board.graph(architecture))
    lines = measured(board, graph, folder)
    assert {line.evidence for line in lines} >= {"measured"}
    assert [line.over for line in lines if line.over] == [], to_text(architecture)
    return graph


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(boards(LINUX), st.integers(0, 1000))
def test_files_keep_to_random_budgets(board: Board, seed: int) -> None:
    for architecture in nearest(board, seed, 3):
        with TemporaryDirectory() as folder:
            assert_kept(board, architecture, Path(folder))


@pytest.mark.parametrize("name", LINUX)
def test_files_keep_to_just_what_is_predicted(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(len(name))
    for index, shape in enumerate(SHAPES):
        whole = make_board(name, shape, int(rng.integers(2, 30)))
        for architecture in some(whole, index, 4):
            # Leaks other than the default's have other operators.
            architecture = replace(architecture, leak=LEAKS[int(rng.integers(len(LEAKS)))])
            verdict = whole.judge(architecture)
            limits = replace(
                whole.limits,
                artifact_bytes=verdict.footprint.artifact_bytes,
                resident_bytes=verdict.footprint.resident_bytes,
                latency_ms=verdict.footprint.latency_ms,
                energy_mj=verdict.footprint.energy_mj,
                operations=verdict.footprint.operations,
            )
            tight = replace(whole, limits=limits)
            assert Screen(tight).judge([architecture]).fits.all()
            assert_kept(tight, architecture, tmp_path)


@pytest.mark.parametrize("name", ["jetson_nano", "jetson_orin_nano"])
def test_files_for_tensorrt_keep_to_just_what_is_predicted(name: str, tmp_path: Path) -> None:
    whole = make_board(name, SHAPES[1], 10, targets=("tensorrt",))
    for architecture in some(whole, 5, 3):
        predicted = whole.judge(architecture).footprint.artifact_bytes
        tight = make_board(name, SHAPES[1], 10, targets=("tensorrt",), artifact_bytes=predicted)
        assert Screen(tight).judge([architecture]).fits.all()
        paths = tensorrt.export(filled(tight.graph(architecture)), tight.profile, tmp_path)
        lines = [line for path in paths for line in check_file(path, tight.profile, tight.limits)]
        assert [line.over for line in lines] == [""] * len(paths), to_text(architecture)
        assert max(line.used for line in lines) * 1.01 >= (predicted or 0)


def some(board: Board, seed: int, count: int) -> list[Architecture]:
    """Random networks that fit ``board``."""
    drawn = draws(feasible_sizes(board), np.random.default_rng(seed))
    small = (each for each in drawn if (each.verdict.footprint.artifact_bytes or 0) < LARGEST_WEIGHED)
    return [each.architecture for each in islice(small, count)]  # type: ignore[misc]


@pytest.mark.parametrize("name", ["jetson_nano", "raspberry_pi_4b"])
def test_float_files_keep_to_just_what_is_predicted(name: str, tmp_path: Path) -> None:
    """The ``snasnet`` algorithm takes networks of another space, of the largest size that a board has for it."""
    board, rng = make_board(name, SHAPES[1], 10), np.random.default_rng(len(name))
    cells = [distinct_cells()[index] for index in rng.integers(len(distinct_cells()), size=8)]
    size = largest_fitting(board, cells)
    fitting = [each for each in (with_cell(size, cell) for cell in cells) if board.judge(each).fits]
    assert len(fitting) >= 4
    for architecture in fitting:
        network = SnasnetNetwork(architecture, board.pixels, len(board.labels)).eval()
        path = exporters.onnx.snasnet.export(network, tmp_path, 15, 8)
        predicted = board.judge(architecture).footprint.artifact_bytes
        tight = replace(board.limits, artifact_bytes=predicted)
        assert [line.over for line in check_file(path, board.profile, tight)] == [""]
        assert predicted is not None and predicted <= 1.03 * path.stat().st_size


@pytest.mark.parametrize("name", BUILT)
def test_images_keep_to_just_what_is_predicted(name: str, tmp_path: Path, zig: None) -> None:
    """The whole image, linked with the compiler whose code sizes the cost model has."""
    whole = make_board(name, SHAPES[len(name) % 2], 10)
    (architecture,) = some(whole, len(name), 1)
    used = whole.judge(architecture).footprint
    limits = {"flash_bytes": used.flash_bytes, "sram_bytes": used.sram_bytes, "operations": used.operations}
    tight = make_board(name, whole.pixels, 10, **limits)
    assert tight.judge(architecture).fits
    graph = assert_kept(tight, architecture, tmp_path)
    image, plan = read_elf(tmp_path / "firmware.elf"), layout(graph, whole.profile)
    assert findings(image, plan, whole.profile) == []
    whole_image = [proof for proof in proofs(image, plan, whole.profile) if not proof.exact]
    assert [proof.name for proof in whole_image] == ["flash, whole image", "sram, whole image"]
    flash, sram = whole_image
    assert 0 <= flash.predicted_bytes - flash.used_bytes <= 24
    assert sram.predicted_bytes == sram.used_bytes


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(boards(BUILT), st.integers(0, 1000))
def test_images_keep_to_random_budgets(zig: None, board: Board, seed: int) -> None:
    for architecture in nearest(board, seed, 1):
        with TemporaryDirectory() as folder:
            assert_kept(board, architecture, Path(folder))


@pytest.fixture
def zig(require_package: Any) -> None:
    """The compiler that the predicted sizes are those of."""
    from exporters.c import compilers

    require_package("ziglang")
    if compilers.version("zig") != measured_version("zig"):
        pytest.skip("sizes of code were measured with another zig")


@pytest.mark.parametrize(("name", "target", "runtime"), [
    ("jetson_nano", "cpu", "onnxruntime"),
    ("raspberry_pi_4b", "linux", None),
])  # fmt: skip
def test_memory_keeps_to_what_is_predicted(
    name: str, target: str, runtime: str | None, tmp_path: Path
) -> None:
    """In processes of their own, which takes long: two networks, of many and of few time steps."""
    board = make_board(name, SHAPES[1], 10)
    images = np.random.default_rng(0).integers(0, 256, (4, *board.pixels)).astype(np.uint8)
    drawn = sorted(some(board, 3, 12), key=lambda each: each.time_steps)
    for architecture in (drawn[0], drawn[-1]):
        graph = filled(board.graph(architecture))
        path = exporter(target).export(graph, board.profile, tmp_path)[0]
        taken = measure(path, runtime or str(available()[0]), images).resident_bytes
        predicted = resident_bytes(graph, target)
        assert taken is not None and predicted / 2 < taken <= predicted, to_text(architecture)
