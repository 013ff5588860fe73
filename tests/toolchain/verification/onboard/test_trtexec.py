"""TensorRT's own program on a "board": the exact commands, what it writes with six digits, and what it may send."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exporters.base import exporter
from tests.support import fake_trtexec
from tests.toolchain.cli.test_verify import network
from tests.toolchain.verification.onboard.conftest import PYTHON, Board
from toolchain import runs
from toolchain.cli.main import main
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings
from toolchain.verification.onboard.trtexec import TIMED, WARM_UP, read_scores
from toolchain.verification.runtimes.tensorrt_model import NO_INTEGER
from toolchain.verification.verdict import read_verdict


def exported(folder: Path, profile: str) -> RunFolder:
    run = runs.create(folder, load(profile), RunSettings())
    graph = network()
    save_graph(graph, run.path)
    exporter("tensorrt").export(graph, run.profile(), run.artifacts)
    return run


def install(board: Board, change: str = "") -> Path:
    record = board.programs / "calls"
    board.program(
        "trtexec", f'echo "$*" >> "{record}"\n{change}\nexec "{PYTHON}" "{fake_trtexec.__file__}" "$@"'
    )
    return record


def test_engines_are_built_fed_and_timed_without_python(tmp_path: Path, board: Board) -> None:
    run = exported(tmp_path / "run", "jetson_orin_nano")
    record = install(board)
    board.program("python3", "exit 127")
    assert main(["verify", str(run.path), "--samples", "2", *board.arguments]) == 0
    verdict = read_verdict(run.report)
    there = {row.runtime: row for row in verdict.comparisons if row.runtime.endswith("on board")}
    assert there.keys() == {"trtexec (float32) on board", "trtexec (int8) on board"}
    for row in there.values():
        assert (row.images, row.integers, row.differing, row.evidence) == (2, 20, 0, "measured")
    (loss,) = (note for note in verdict.notes if "trtexec (float16) on board" in note)
    assert loss.startswith("model_tensorrt.onnx in") and "0 of 20 outputs differ" in loss
    assert not any("not run" in note for note in verdict.notes)
    costs = {cost.runtime: cost for cost in verdict.costs if cost.where == "on board"}
    assert len(costs) == 3
    for cost in costs.values():
        # Those of the first image, 0.01 ms slower each, without the first ten.
        assert cost.latency_us == pytest.approx(700 + 10 * (WARM_UP + (TIMED - 1) / 2), abs=1)
        assert cost.latency_p95_us > cost.latency_us and cost.resident_bytes is None
    calls = record.read_text().splitlines()
    shared = "--warmUp=0 --duration=0 --loadInputs=image:image{}.bin --exportOutput=output.json"
    assert len(calls) == 6
    assert calls[0] == (
        "--onnx=model_tensorrt.onnx --noTF32 --saveEngine=model_float32.engine --exportTimes=times.json"
        f" --iterations={WARM_UP + TIMED} " + shared.format(0)
    )
    assert calls[1] == "--loadEngine=model_float32.engine --iterations=1 " + shared.format(1)
    assert "--fp16" in calls[2].split() and "--int8" in calls[4].split() and board.left == []


def test_one_other_value_fails(tmp_path: Path, board: Board) -> None:
    run = exported(tmp_path / "run", "jetson_nano")
    # Of the second image the first one's values.
    install(board, 'set -- "${@/image1.bin/image0.bin}"')
    assert main(["verify", str(run.path), "--samples", "2", *board.arguments]) == 5
    (failure,) = read_verdict(run.report).failures
    assert failure.cause == "differs" and "trtexec (float32) on board" in failure.message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("echo 'Engine could not be created'; exit 1", "fails: Engine could not be created"),
        ("printf '[ 1, 2 ]' > output.json; exit 0", "gives no values"),
        ('echo \'[{"name": "values", "values": [1, true]}]\' > output.json; exit 0', "gives no values"),
        ("printf '[ {' > output.json; exit 0", "writes no output.json"),
        ("yes > output.json & sleep 1; kill $!; exit 0", "sent more than the 1,048,576 bytes"),
        (
            'echo \'[{"name": "values", "values": [1, 2]}]\' > output.json\necho "[]" > times.json; exit 0',
            "no times",
        ),
    ],
)
def test_what_fails_there_is_told(
    tmp_path: Path, board: Board, capsys: pytest.CaptureFixture[str], change: str, sentence: str
) -> None:
    run = exported(tmp_path / "run", "jetson_nano")
    install(board, change)
    assert main(["verify", str(run.path), "--samples", "1", *board.arguments]) == 3
    assert sentence in capsys.readouterr().err and board.left == []


def test_what_is_no_number_differs(tmp_path: Path, board: Board) -> None:
    run = exported(tmp_path / "run", "jetson_nano")
    times = ", ".join('{"latencyMs": 1}' for _ in range(WARM_UP + TIMED))
    values = ", ".join(["nan", "-inf", *["0"] * 8])
    install(
        board,
        f'echo \'[{{ "name" : "values", "values" : [ {values} ] }}]\' > output.json\n'
        f"echo '[{times}]' > times.json; exit 0",
    )
    assert main(["verify", str(run.path), "--samples", "1", *board.arguments]) == 5
    (row,) = (row for row in read_verdict(run.report).comparisons if row.runtime.endswith("on board"))
    assert row.differing >= 2 and row.first is not None and row.first.got == NO_INTEGER


def test_a_board_without_it(tmp_path: Path, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    run = exported(tmp_path / "run", "jetson_nano")
    assert main(["verify", str(run.path), *board.arguments]) == 6
    assert "has no trtexec, which builds and runs TensorRT engines" in capsys.readouterr().err


def test_six_digits_tell_scores_up_to_100000_apart() -> None:
    rng = np.random.default_rng(1)
    scores = np.concatenate(
        [rng.integers(-100_000, 100_000, 5000), [0, 1, -1, 99_999, 100_000, 1 << 23, -(1 << 23)]]
    )
    for exponent in (0, 5, 13):
        wanted = np.ldexp(scores.astype(np.float64), -exponent)[np.newaxis]
        exponents = [exponent] * len(scores)
        written = np.array([[float(f"{value:.6g}") for value in wanted[0]]])
        assert (read_scores(written, wanted, exponents) == scores).all()
        near = np.abs(scores) < 100_000
        other = np.ldexp((scores + 1).astype(np.float64), -exponent)
        written = np.array([[float(f"{value:.6g}") for value in other]])
        found = read_scores(written, wanted, exponents)[0]
        assert (found[near] == scores[near] + 1).all()
    halves = np.array([[0.5, 3.25, np.ldexp(1.0, 40)]])
    assert (read_scores(halves, np.zeros((1, 3)), [0, 0, 0]) == NO_INTEGER).all()
