from __future__ import annotations

import json
from pathlib import Path

import pytest

from exporters.c import compilers
from tests.support.data import bars
from tests.support.graphs import random_graph
from toolchain import delivery, profiles, runs
from toolchain.architecture import snasnet
from toolchain.architecture.storage import save_architecture
from toolchain.delivery import export_run, require_tools, verify_run
from toolchain.errors import InputError, OverBudgetError, ToolMissingError
from toolchain.graph.storage import save_graph
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.settings import LimitSettings, RunSettings
from toolchain.training.run import train_run
from toolchain.verification.check import check_run


def quiet(message: str) -> None:
    pass


def trained(folder: Path, profile: Profile, seed: int = 1) -> RunFolder:
    """A run with a random network in place of a trained one."""
    run = runs.create(folder, profile, RunSettings())
    save_graph(random_graph(seed), run.path)
    return run


def names(run: RunFolder) -> set[str]:
    return {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()}


def test_without_formats_a_run_gets_its_profile_s_own(tmp_path: Path) -> None:
    run = trained(tmp_path / "nano", profiles.load("jetson_nano"))
    paths = export_run(run, (), progress=quiet)
    assert run.artifacts / "model.onnx" in paths and all(path.is_file() for path in paths)
    manifest = json.loads(run.manifest.read_text())
    assert manifest["targets"] == ["cpu"]
    assert "artifacts/model.onnx" in manifest["artifacts"]


def test_sources_are_made_ready_for_the_builds_that_are_asked_for(tmp_path: Path) -> None:
    run = trained(tmp_path / "nano", profiles.load("jetson_nano"))
    with pytest.raises(InputError, match="made of C sources, and none are exported; add `--format c`"):
        export_run(run, (), (), ("zephyr",), progress=quiet)
    with pytest.raises(InputError, match="no integration is called 'betaflight'"):
        export_run(run, ("c",), (), ("betaflight",), progress=quiet)
    assert not run.artifacts.exists()
    told: list[str] = []
    export_run(run, ("c",), (), ("zephyr",), progress=told.append)
    assert "Zephyr module: west build" in "\n".join(told) and "`" not in "".join(told)
    manifest = json.loads(run.manifest.read_text())
    assert {"artifacts/c/CMakeLists.txt", "artifacts/c/zephyr/module.yml"} <= manifest["artifacts"].keys()


def test_for_tensorrt_the_commands_are_told(tmp_path: Path) -> None:
    run = trained(tmp_path / "orin", profiles.load("jetson_orin_nano"))
    told: list[str] = []
    paths = export_run(run, (), ("tensorrt",), progress=told.append)
    assert [path.name for path in paths] == ["model_tensorrt.onnx", "model_tensorrt_int8.onnx"]
    commands = [message for message in told if "trtexec --onnx=" in message]
    assert len(commands) == 3 and all("--noTF32" in command for command in commands)


def test_a_board_without_tensorrt_keeps_its_artifacts(tmp_path: Path) -> None:
    run = trained(tmp_path / "pi", profiles.load("raspberry_pi_4b"))
    export_run(run, ("onnx",), progress=quiet)
    before = names(run)
    with pytest.raises(InputError, match="raspberry_pi_4b has no TensorRT"):
        export_run(run, (), ("tensorrt",), progress=quiet)
    assert names(run) == before


def test_a_microcontroller_s_run_is_linked(tmp_path: Path, require_package: object) -> None:
    require_package("ziglang")  # type: ignore[operator]
    run = trained(tmp_path / "f405", profiles.load("stm32f405"))
    paths = export_run(run, (), progress=quiet)
    assert {path.name for path in paths} >= {"firmware.elf", "firmware.bin", "net.c", "net.h"}


def test_an_export_replaces_the_one_before_and_its_verdict(tmp_path: Path) -> None:
    run = trained(tmp_path / "pi", profiles.load("raspberry_pi_4b"))
    export_run(run, ("tflite",), progress=quiet)
    run.report.write_text("{}")
    export_run(run, ("onnx",), progress=quiet)
    assert "artifacts/model.onnx" in names(run)
    assert not {"artifacts/model.tflite", "report.json"} & names(run)


def test_whatever_lies_where_artifacts_go_is_replaced(tmp_path: Path) -> None:
    run = trained(tmp_path / "pi", profiles.load("raspberry_pi_4b"))
    run.artifacts.write_text("not a folder")
    export_run(run, ("onnx",), progress=quiet)
    assert "artifacts/model.onnx" in names(run)
    assert not list(run.path.glob(".*"))


def test_a_failing_replacement_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(tmp_path / "pi", profiles.load("raspberry_pi_4b"))
    export_run(run, ("tflite",), progress=quiet)
    before, rename = names(run), Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name.startswith(".artifacts."):
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        export_run(run, ("onnx",), progress=quiet)
    assert names(run) == before


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path / "pi", profiles.load("raspberry_pi_4b"))

    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(delivery.tempfile, "mkdtemp", refuse)
    with pytest.raises(InputError, match="cannot write to .*: Permission denied"):
        export_run(run, ("onnx",), progress=quiet)


@pytest.mark.parametrize("error", [OverBudgetError("region too small"), ToolMissingError("no compiler")])
def test_a_failing_link_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run = trained(tmp_path / "f405", profiles.load("stm32f405"))
    run.artifacts.mkdir()
    (run.artifacts / "kept.txt").write_text("mine")
    before = names(run)

    def fail(folder: Path, profile: Profile) -> None:
        raise error

    monkeypatch.setattr(delivery, "build", fail)
    with pytest.raises(type(error)):
        export_run(run, ("c",), progress=quiet)
    assert names(run) == before


def absent(what: str) -> object:
    def fail(*_: object) -> None:
        raise ToolMissingError(what)

    return fail


def test_only_what_will_be_used_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers, "arm_command", absent("compiler"))
    for board, formats in (("stm32f405", ("onnx",)), ("jetson_nano", ()), ("esp32s3", ("c",))):
        require_tools(profiles.load(board), formats)
    for formats in ((), ("onnx", "c")):
        with pytest.raises(ToolMissingError, match="compiler"):
            require_tools(profiles.load("stm32f405"), formats, verify=False)
    with pytest.raises(InputError, match="no exporter writes the format 'pth'"):
        require_tools(profiles.load("jetson_nano"), ("pth",))


@pytest.mark.parametrize(
    ("board", "emulator"), [("stm32f405", "unicorn"), ("rp2040", "unicorn"), ("mps3_an547", "qemu")]
)
def test_the_board_s_emulator_is_required_to_verify(
    monkeypatch: pytest.MonkeyPatch, board: str, emulator: str
) -> None:
    monkeypatch.setattr(compilers, "arm_command", lambda _: ("zig", ["zig"]))
    monkeypatch.setattr(delivery.emulator, "import_unicorn", absent("unicorn"))
    monkeypatch.setattr(delivery.qemu_machine, "program", absent("qemu"))
    require_tools(profiles.load(board), (), verify=False)
    with pytest.raises(ToolMissingError, match=emulator):
        require_tools(profiles.load(board), ())


def test_an_untrained_run_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    run = runs.create(tmp_path / "a", profiles.load("stm32f405"), RunSettings())
    with pytest.raises(
        InputError, match=r"its search did not end; go on with it: spikenas-deploy search --resume"
    ):
        export_run(run, (), progress=quiet)
    run.architecture.write_text("{}")
    with pytest.raises(InputError, match=r"no trained network yet; run `spikenas-deploy train"):
        export_run(run, (), progress=quiet)
    with pytest.raises(
        InputError, match="no exporter writes the format 'pth'; the formats are c, onnx, tflite"
    ):
        export_run(run, ("pth",), progress=quiet)
    assert not run.artifacts.exists()


@pytest.fixture
def float_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A trained run of the ``snasnet`` space."""
    data = bars()
    monkeypatch.setattr(RunFolder, "dataset", lambda self: data)
    run = runs.create(tmp_path / "float", profiles.load("jetson_nano"), RunSettings())
    save_architecture(snasnet.parse("snasnet t2 stem8/1 003000 pool2 fc64 voters2"), run.architecture)
    train_run(run, changes={"epochs": 2}, progress=quiet)
    return run


def test_a_float_network_is_written_as_onnx_alone_and_compared(float_run: RunFolder) -> None:
    said: list[str] = []
    paths = export_run(float_run, (), progress=said.append)
    assert [path.name for path in paths] == ["model_float.onnx"] and paths[0].is_file()
    assert "30 images: logits of" in said[-1]
    manifest = json.loads(float_run.manifest.read_text())
    assert manifest["space"] == "snasnet" and manifest["comparison"]["images"] == 30
    (line,) = check_run(float_run.path, float_run.profile(), float_run.budget())
    assert line.used == paths[0].stat().st_size
    with pytest.raises(InputError, match="no integers to verify"):
        verify_run(float_run, progress=quiet)


@pytest.mark.parametrize(
    ("form", "words"), [("c", "The export of c for firmware"), ("tflite", "The export of tflite for linux")]
)
def test_other_forms_of_a_float_network_are_refused(float_run: RunFolder, form: str, words: str) -> None:
    with pytest.raises(InputError, match=f"^{words} is not to be had for networks of the snasnet space"):
        export_run(float_run, (form,), progress=quiet)
    with pytest.raises(InputError, match="no exporter writes the format 'pth'"):
        export_run(float_run, ("pth",), progress=quiet)
    assert not float_run.artifacts.exists()


def test_a_float_file_over_budget_is_not_left_behind(float_run: RunFolder) -> None:
    limits = LimitSettings(artifact_bytes=1000)
    float_run.save_settings(float_run.settings().model_copy(update={"limits": limits}))
    with pytest.raises(OverBudgetError, match=r"model_float\.onnx is over budget by"):
        export_run(float_run, (), progress=quiet)
    assert names(float_run).isdisjoint({"artifacts/model_float.onnx"})


def test_tensorflow_lite_micro_is_missed_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = profiles.load("stm32f405")
    monkeypatch.setattr(delivery.tflm, "missing", lambda: "TensorFlow Lite Micro is not installed")
    with pytest.raises(ToolMissingError, match="TensorFlow Lite Micro is not installed"):
        require_tools(profile, (), ("micro",))
    require_tools(profile, (), ("micro",), verify=False)
