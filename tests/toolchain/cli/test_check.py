"""The verb ``check``, through the command line's own entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import firmware
from tests.support.graphs import random_graph
from tests.support.models import framing_of_tflite, written
from toolchain import runs
from toolchain.cli.main import main
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.settings import LimitSettings, RunSettings

BOARD = "stm32f405"

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocker())
from toolchain.cli.main import main
code = main({arguments})
assert not {names} & {{name.partition(".")[0] for name in sys.modules}}
sys.exit(code)
"""
HEAVY = {
    "torch", "snntorch", "numpy", "onnx", "onnxruntime", "tflite_runtime", "ai_edge_litert", "ziglang", "unicorn",
    "elftools", "flatbuffers", "safetensors", "PIL", "jinja2",
}  # fmt: skip


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ziglang")
    return firmware.build(tmp_path_factory.mktemp("check"))


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.bin"
    path.write_bytes(bytes(20_000))
    return path


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_firmware_within_its_board(capsys: pytest.CaptureFixture[str], elf: Path) -> None:
    code, out, err = check(capsys, elf, "--profile", BOARD)
    assert (code, err) == (0, "")
    assert all(word in out for word in ("flash", "sram", "ccm", "headroom", "measured"))


def test_over_budget_names_region_and_bytes(capsys: pytest.CaptureFixture[str], binary: Path) -> None:
    code, out, err = check(capsys, binary, "--profile", BOARD, "--flash", "16KiB")
    assert code == 4
    assert err == "error: firmware.bin is over budget by 3,616 bytes: flash needs 20,000 and has 16,384\n"
    assert "flash" in out


def test_json_is_one_document_even_when_over(capsys: pytest.CaptureFixture[str], binary: Path) -> None:
    code, out, _ = check(capsys, binary, "--profile", BOARD, "--flash", "16KiB", "--json")
    document = json.loads(out)
    assert code == 4 and document["within_budget"] is False and len(document["over"]) == 1
    assert document["lines"][0] | {"used": 20_000, "headroom": -3616} == document["lines"][0]


def test_markdown(capsys: pytest.CaptureFixture[str], binary: Path) -> None:
    code, out, _ = check(capsys, binary, "--profile", BOARD, "--markdown")
    assert code == 0 and out.startswith("### Budget\n\n| artifact | resource |")


def test_model_on_a_linux_board(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = written(tmp_path, "model.tflite", framing_of_tflite(5000))
    assert check(capsys, model, "--profile", "raspberry_pi_4b")[0] == 0
    code, _, err = check(capsys, model, "--profile", "raspberry_pi_4b", "--artifact", "4KiB")
    assert code == 4 and f"artifact needs {model.stat().st_size:,} and has 4,096" in err


def test_run_gives_the_board_and_its_narrowed_limits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = RunSettings(limits=LimitSettings(flash_bytes=16_384, latency_ms=10.0))
    run = runs.create(None, load(BOARD), settings)
    run.architecture.write_text("{}")
    run.artifacts.mkdir()
    artifact = binary.rename(run.artifacts / "firmware.bin")
    for argument in ([], [run.path], [artifact]):
        code, _, err = check(capsys, *argument)
        assert code == 4 and "flash needs 20,000 and has 16,384" in err
    # Another board is checked with its own limits, not with those of the run.
    assert check(capsys, artifact, "--profile", BOARD)[0] == 0


def test_a_path_with_dots_still_belongs_to_its_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(tmp_path / "run", load(BOARD), RunSettings())
    sources = run.artifacts / "c"
    sources.mkdir(parents=True)
    binary.rename(run.artifacts / "firmware.bin")
    monkeypatch.chdir(sources)
    assert check(capsys, "../firmware.bin")[0] == 0


def test_a_run_s_narrowed_latency_holds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = RunSettings(limits=LimitSettings(latency_ms=0.001))
    run = runs.create(tmp_path / "run", load("raspberry_pi_zero_2w"), settings)
    save_graph(random_graph(1), run.path)
    code, _, err = check(capsys, run.path)
    assert code == 4 and "latency needs" in err


def test_a_run_s_energy_and_operations_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = RunSettings(limits=LimitSettings(energy_mj=1e-3, operations=10))
    run = runs.create(tmp_path / "run", load(BOARD), settings)
    save_graph(random_graph(1), run.path)
    code, out, err = check(capsys, run.path)
    assert code == 4 and " mJ" in out and "operations" in out
    assert "microjoules: energy needs" in err and "synaptic operations: operations needs" in err
    run.save_settings(RunSettings(limits=LimitSettings(energy_mj=1e6, operations=10**9)))
    code, out, err = check(capsys, run.path)
    assert (code, err) == (0, "") and "1,000,000,000" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{binary}"], "belongs to no run, so the board is not known; add --profile NAME"),
        (["{binary}", "--profile", "nosuchboard"], "no profile is called"),
        (["{binary}", "--profile", "raspberry_pi_4b"], "is firmware, and raspberry_pi_4b takes none"),
        (["{binary}", "--profile", BOARD, "--flash", "lots"], "is no size"),
        (["{binary}", "--profile", BOARD, "--flash", "8MiB"], "may only narrow"),
        (["{folder}", "--profile", BOARD], "is not a run's folder (it has no run.toml)"),
        (["{folder}/none.elf", "--profile", BOARD], "does not exist; give an artifact"),
        (["a" * 300 + ".elf", "--profile", BOARD], "does not exist; give an artifact"),
        ([], "there is no run under runs/"),
    ],
)
def test_wrong_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    binary: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(binary.parent)
    given = [text.format(binary=binary, folder=binary.parent) for text in arguments]
    code, out, err = check(capsys, *given)
    assert (code, out) == (3, "")
    assert sentence in err and err.count("\n") == 1


def test_needs_nothing_heavy(elf: Path, tmp_path: Path) -> None:
    """Every artifact is checked where torch, numpy, the runtimes, compilers and emulators are not installed."""
    tflite, onnx = tmp_path / "model.tflite", tmp_path / "model.onnx"
    tflite.write_bytes(framing_of_tflite())
    onnx.write_bytes(b"\x08\x08\x3a\x04\x12\x02ab")
    for path, board in ((elf, BOARD), (tflite, "raspberry_pi_4b"), (onnx, "jetson_nano")):
        script = BLOCKED.format(names=HEAVY, arguments=["check", str(path), "--profile", board])
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert path.name in done.stdout
