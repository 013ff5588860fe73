"""The verb ``check``, through the command line's own entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import firmware, foreign
from tests.support.graphs import random_graph
from tests.support.load_files import hex_file, uf2_file
from tests.support.models import framing_of_tflite, written
from toolchain import runs
from toolchain.cli.main import main
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.profiles.schema import Calibration
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
    assert code == 4 and document["within_budget"] is False and len(document["failures"]) == 1
    assert document["lines"][0] | {"used": 20_000, "headroom": -3616} == document["lines"][0]


def test_markdown(capsys: pytest.CaptureFixture[str], binary: Path) -> None:
    code, out, _ = check(capsys, binary, "--profile", BOARD, "--markdown")
    assert code == 0 and out.startswith("### Budget\n\n| artifact | resource |")


def test_model_on_a_linux_board(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = written(tmp_path, "model.tflite", framing_of_tflite(5000))
    assert check(capsys, model, "--profile", "raspberry_pi_4b")[0] == 0
    code, _, err = check(capsys, model, "--profile", "raspberry_pi_4b", "--artifact", "4KiB")
    assert code == 4 and f"artifact needs {model.stat().st_size:,} and has 4,096" in err


def test_firmware_of_others_with_a_network_in_it(
    capsys: pytest.CaptureFixture[str], require_tool: Callable[[str], str]
) -> None:
    require_tool("arm-none-eabi-gcc")
    elf = foreign.build()
    code, out, err = check(capsys, elf, "--profile", "crazyflie_2_1")
    assert (code, err) == (0, "")
    assert "Memory of cf2.elf" in out and "._user_heap_stack" in out and "flash, network" in out
    code, out, err = check(capsys, elf, "--profile", "crazyflie_2_1", "--network-flash", "1KiB")
    assert code == 4 and "cf2.elf is over budget by" in err and "flash, network needs" in err
    code, out, err = check(capsys, elf, "--sram", "3KiB", "--symbol-prefix", "net_inf")
    assert code == 4 and "sram needs 3,692 and has 3,072" in err and "by symbols net_inf*, snn_*" in out


@pytest.mark.parametrize("ending", [".hex", ".uf2"])
def test_files_with_addresses(capsys: pytest.CaptureFixture[str], tmp_path: Path, ending: str) -> None:
    chunks = [(0x0800_0000 + 200 * index, bytes(200)) for index in range(100)]
    path = tmp_path / f"app{ending}"
    path.write_bytes(hex_file(chunks) if ending == ".hex" else uf2_file(chunks))
    code, out, _ = check(capsys, path, "--profile", BOARD, "--json")
    (flash, *_) = json.loads(out)["lines"]
    assert code == 0 and (flash["resource"], flash["used"]) == ("flash", 20_000)
    assert check(capsys, path, "--profile", BOARD, "--flash", "16KiB")[0] == 4
    code, _, err = check(capsys, path, "--profile", "rp2040")
    assert code == 3 and "puts nothing into the flash of rp2040" in err


def test_a_raw_flight_firmware_may_fill_the_whole_memory(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "cf2.bin"
    path.write_bytes(bytes(900_000))
    code, out, _ = check(capsys, path, "--profile", "crazyflie_2_1")
    assert code == 0 and "1,024.0 KiB" in out


BUDGETS = """
max_growth = "2%"
[[artifacts]]
path = "build/a.bin"
profile = "stm32f405"
flash = "32KiB"
[[artifacts]]
path = "build/b.tflite"
artifact = "8KiB"
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's repository with two artifacts and their budgets, as the current folder."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "a.bin").write_bytes(bytes(20_000))
    (tmp_path / "build" / "b.tflite").write_bytes(framing_of_tflite(5000))
    (tmp_path / "spikenas.toml").write_text(BUDGETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI_COMMIT_SHA", raising=False)
    monkeypatch.setenv("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567")
    return tmp_path


def test_a_folder_s_budgets_are_checked_without_arguments(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    code, out, err = check(capsys)
    assert (code, err) == (0, "") and "2 artifacts of spikenas.toml" in out
    assert "build/a.bin" in out and "build/b.tflite" in out
    model = written(repository / "build", "b.tflite", framing_of_tflite(9000))
    size = model.stat().st_size
    code, _, err = check(capsys, "--config", repository / "spikenas.toml")
    assert (
        code == 4
        and f"error: build/b.tflite is over budget by {size - 8192:,} bytes: artifact needs {size:,}" in err
    )


def test_growth_since_an_earlier_report(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    assert check(capsys, "--report", "main.json", "--json")[0] == 0
    (repository / "build" / "a.bin").write_bytes(bytes(20_300))
    code, out, err = check(capsys, "--base", "main.json", "--markdown")
    assert (code, err) == (0, "") and "| +300 (+1.5%) |" in out
    (repository / "build" / "a.bin").write_bytes(bytes(21_000))
    code, out, err = check(capsys, "--base", "main.json", "--markdown")
    sentence = (
        "build/a.bin grew by more than the tolerated 2%: flash needs 21,000, 1,000 bytes (+5.0%) more than"
    )
    assert code == 4 and f"error: {sentence} the 20,000 of commit 0123456789ab (" in err
    assert "| build/a.bin | flash | 20.5 KiB | +1,000 (+5.0%) | 32.0 KiB |" in out and f"- {sentence}" in out
    # What spikenas.toml says goes before the option.
    assert check(capsys, "--base", "main.json", "--max-growth", "10%")[0] == 4
    (repository / "spikenas.toml").write_text(BUDGETS.replace('max_growth = "2%"', ""))
    assert check(capsys, "--base", "main.json", "--max-growth", "10%")[0] == 0
    assert check(capsys, "--base", "main.json")[0] == 0


def test_reports_for_ci_are_written_even_when_it_fails(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    (repository / "build" / "a.bin").write_bytes(bytes(40_000))
    code, out, err = check(
        capsys, "--github", "--junit", "out/junit.xml", "--report", "out/report.json", "--json"
    )
    assert code == 4
    assert err == (
        "::error file=spikenas.toml,title=spikenas-deploy check::build/a.bin is over budget by 7,232 bytes: "
        "flash needs 40,000 and has 32,768\n"
    )
    assert 'failures="1"' in (repository / "out" / "junit.xml").read_text()
    document = json.loads(out)
    assert document == json.loads((repository / "out" / "report.json").read_text())
    assert document["commit"] == "0123456789abcdef0123456789abcdef01234567" and document["passed"] is False


def test_bad_input_is_annotated_too(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    (repository / "build" / "a.bin").unlink()
    code, _, err = check(capsys, "--github")
    annotated, error = err.splitlines()
    assert code == 3 and error == "error: " + annotated.partition("check::")[2]
    assert annotated.startswith(
        "::error file=spikenas.toml,title=spikenas-deploy check::build/a.bin does not exist"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build/a.bin", "--config", "spikenas.toml"], "names what is checked; leave out build/a.bin"),
        (["--flash", "1KiB"], "spikenas.toml says the board and the limits of what it names"),
        (["--profile", BOARD], "spikenas.toml says the board and the limits of what it names"),
        (["--max-growth", "2%"], "--max-growth compares with an earlier report; add --base FILE"),
        (["--max-growth", "2", "--base", "x.json"], "'2' is no share; write a number and %, as in 2%"),
        (["--base", "x.json"], "x.json does not exist"),
        (["--base", "spikenas.toml"], "spikenas.toml is not valid JSON"),
        (["--config", "none.toml"], "none.toml does not exist"),
        (["build/a.bin", "--artifact", "9KiB"], "build/a.bin is firmware; limit it with flash or sram"),
        (
            ["build/a.bin", "--symbol-prefix", "net_", "--profile", BOARD, "--network-flash", "1KiB"],
            "a raw file",
        ),
    ],
)
def test_wrong_combinations_are_one_sentence(
    capsys: pytest.CaptureFixture[str], repository: Path, arguments: list[str], sentence: str
) -> None:
    code, out, err = check(capsys, *arguments)
    assert (code, out) == (3, "")
    assert sentence in err and err.count("\n") == 1


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


def test_time_and_energy_of_a_run_are_limited_by_options(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    timed = Calibration(board="mine", measured_on="2026-11-24", cycles_per_instruction=1.3, source="measured")
    for calibration, expected in ((None, 0), (timed, 4)):
        board = load(BOARD).model_copy(update={"calibration": calibration})
        run = runs.create(tmp_path / f"run{expected}", board, RunSettings())
        save_graph(random_graph(1), run.path)
        assert check(capsys, run.path, "--latency", "10s", "--energy", "1J")[0] == 0
        code, out, err = check(capsys, run.path, "--latency", "0.001ms", "--energy", "0.1uJ")
        where = err if expected else out
        assert code == expected and "latency needs" in where and "energy needs" in where
        assert ("calibrated on mine, 2026-11-24" in out) == bool(expected)


def test_a_file_says_nothing_of_its_time(capsys: pytest.CaptureFixture[str], elf: Path) -> None:
    code, _, err = check(capsys, elf, "--profile", BOARD, "--latency", "10ms")
    assert code == 3 and "limit the time and the energy of the run" in err


def test_a_run_s_energy_and_operations_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings = RunSettings(limits=LimitSettings(energy_mj=1e-3, operations=10))
    run = runs.create(tmp_path / "run", load(BOARD), settings)
    save_graph(random_graph(1), run.path)
    code, out, err = check(capsys, run.path)
    assert code == 4 and " mJ" in out and "operations" in out
    # The board was never timed: nothing fails by its energy.
    assert "microjoules: energy needs" in out and "synaptic operations: operations needs" in err
    assert "energy needs" not in err
    run.save_settings(RunSettings(limits=LimitSettings(energy_mj=1e6, operations=10**9)))
    code, out, err = check(capsys, run.path)
    assert (code, err) == (0, "") and "1,000,000,000" in out


def test_a_file_named_beside_the_budgets_is_sent_to_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.elf").write_bytes(b"")
    Path("spikenas.toml").write_text("")
    code, _, err = check(capsys, Path("a.elf"))
    assert code == 3 and "or check all that spikenas.toml names by `spikenas-deploy check`" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["{binary}"],
            "belongs to no run, so the board is not known; add --profile NAME, or limits such as --flash",
        ),
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
    chunks = [(0x0800_0000, bytes(100))]
    image, blocks = tmp_path / "app.hex", tmp_path / "app.uf2"
    image.write_bytes(hex_file(chunks))
    blocks.write_bytes(uf2_file(chunks))
    foreign_elf = tmp_path / "foreign.elf"
    foreign_elf.write_bytes(elf.read_bytes().replace(b"spikenas_mailbox", b"somebodys_memory"))
    budgets = tmp_path / "spikenas.toml"
    budgets.write_text("[[artifacts]]\npath = 'model.onnx'\nartifact = 1000\n")
    junit, report = tmp_path / "junit.xml", tmp_path / "report.json"
    for path, arguments in (
        (elf, [str(elf), "--profile", BOARD]),
        (foreign_elf, [str(foreign_elf), "--profile", BOARD]),
        (tflite, [str(tflite), "--profile", "raspberry_pi_4b"]),
        (onnx, ["--config", str(budgets), "--junit", str(junit), "--report", str(report), "--markdown"]),
        (image, [str(image), "--profile", BOARD]),
        (blocks, [str(blocks), "--profile", BOARD]),
    ):
        script = BLOCKED.format(names=HEAVY, arguments=["check", *arguments])
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert path.name in done.stdout
