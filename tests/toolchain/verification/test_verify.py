"""Whole verifications of small random networks: what passes, and everything that must be caught."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from exporters.base import exporter
from exporters.c.build import build
from exporters.c.cores import CORES
from tests.support.boards import with_copies
from tests.support.graphs import of_numbers, random_graph, random_images, sensitive_graph, with_wrong_weight
from toolchain.cost.code_size import measured_version
from toolchain.cost.cycles import image_range_ms
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph import reference
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Calibration
from toolchain.reporting.tables import verdict_tables
from toolchain.verification import firmware_image
from toolchain.verification.check import check_run
from toolchain.verification.firmware_run import TIMED_IMAGES
from toolchain.verification.runtimes.tflite import available
from toolchain.verification.stack_bound import StackBound
from toolchain.verification.verdict import Verdict
from toolchain.verification.verify import verify

GRAPH = sensitive_graph(12)
IMAGES = random_images(GRAPH, 12)
TARGETS = reference.predictions(reference.scores(GRAPH, IMAGES))
BOARD = "stm32f405"


def run(folder: Path, graph: Graph = GRAPH, board: str = BOARD) -> Path:
    """A run folder whose network is ``GRAPH`` and whose artifacts are of ``graph``."""
    save_graph(GRAPH, folder)
    profile = load(board)
    for name in profile.default_formats:
        exporter(name).export(graph, profile, folder / "artifacts")
    if "c" in profile.default_formats and profile.core in CORES:
        build(folder / "artifacts" / "c", profile, "zig")
    return folder


def verified(folder: Path, board: str = BOARD, **options: object) -> Verdict:
    return verify(folder, load(board), IMAGES, TARGETS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("board", ["stm32f405", "raspberry_pi_4b"])
def test_frames_of_events_give_the_same_integers_everywhere(board: str, tmp_path: Path) -> None:
    """C under emulation, with its mailbox of several frames, ONNX in both forms and TFLite."""
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    graph, profile = random_graph(5, framed=True), load(board)
    save_graph(graph, tmp_path)
    for name in profile.default_formats:
        exporter(name).export(graph, profile, tmp_path / "artifacts")
    if profile.core in CORES:
        build(tmp_path / "artifacts" / "c", profile, "zig")
    images = random_images(graph, 9)
    targets = reference.predictions(reference.scores(graph, images))
    verdict = verify(tmp_path, profile, images, targets)
    assert verdict.failures == () and verdict.comparisons
    assert all(row.agreeing == row.images for row in verdict.comparisons)
    assert len(np.unique(reference.scores(graph, images), axis=0)) > 2
    with pytest.raises(InputError, match="test images are"):
        verify(tmp_path, profile, images[:, 0], targets)


@pytest.mark.parametrize("board", ["stm32f405", "raspberry_pi_4b"])
def test_one_number_is_verified_like_classes(board: str, tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    graph, profile = of_numbers(GRAPH, 1), load(board)
    save_graph(graph, tmp_path)
    for name in profile.default_formats:
        exporter(name).export(graph, profile, tmp_path / "artifacts")
    if profile.core in CORES:
        build(tmp_path / "artifacts" / "c", profile, "zig")
    targets = graph.values(reference.scores(graph, IMAGES)).astype(np.float32)
    verdict = verify(tmp_path, profile, IMAGES, targets)
    assert verdict.failures == () and verdict.comparisons
    for compared in verdict.comparisons:
        ((label, r2, _, error),) = (
            (each.label, each.r2, each.reference_r2, each.mean_absolute_error) for each in compared.numbers
        )
        assert (label, error, compared.accuracy) == ("number 0", 0.0, None) and r2 == pytest.approx(1)
    rows = json.loads((tmp_path / "report.json").read_text())["comparisons"]
    assert all(row["numbers"][0]["label"] == "number 0" and row["accuracy"] is None for row in rows)


def causes(verdict: Verdict) -> set[str]:
    return {failure.cause for failure in verdict.failures}


@pytest.fixture(scope="module")
def firmware_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    return run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def copy(firmware_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(firmware_run, tmp_path / "run"))


def test_firmware_passes_with_every_figure(firmware_run: Path) -> None:
    told: list[str] = []
    verdict = verified(firmware_run, progress=told.append)
    assert verdict.failures == ()
    (compared,) = verdict.comparisons
    assert (compared.images, compared.differing, compared.accuracy) == (12, 0, 1.0)
    assert verdict.operations.images == 12 and verdict.operations.spike_rates["stem"] > 0
    (report,) = verdict.firmware
    assert all(proof.holds for proof in report.proofs)
    assert len(report.instructions) == 2 and min(report.instructions) > 1000
    assert report.stack_bound_bytes is not None
    assert 0 < report.stack_used_bytes < report.stack_bound_bytes <= report.stack_reserved_bytes
    assert {line.resource for line in verdict.budget} == {"flash", "sram", "ccm", "sram in all", "stack"}
    assert json.loads((firmware_run / "report.json").read_text()) == json.loads(
        json.dumps(verdict.document())
    )
    assert any("reference" in line for line in told) and any("emulating" in line for line in told)


def test_planted_weight_is_caught_in_firmware(tmp_path: Path, firmware_run: Path) -> None:
    verdict = verified(run(tmp_path, with_wrong_weight(GRAPH)))
    assert "differs" in causes(verdict) and verdict.comparisons[0].differing
    assert any("built from another network" in failure.message for failure in verdict.failures)


def test_an_image_that_copies_its_weights_is_as_planned(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    pytest.importorskip("unicorn")
    board = with_copies(load("stm32h743"), "dtcm", 65_536)
    save_graph(GRAPH, tmp_path)
    build(exporter("c").export(GRAPH, board, tmp_path / "artifacts")[0].parent, board, "zig")
    verdict = verify(tmp_path, board, IMAGES, TARGETS)
    assert verdict.failures == ()
    (report,) = verdict.firmware
    (copied,) = (proof for proof in report.proofs if proof.name == "copies")
    assert copied.exact and copied.used_bytes == copied.predicted_bytes > 0


def test_a_stack_that_the_reserve_does_not_hold_is_told_from_the_code(copy: Path) -> None:
    source = copy / "artifacts" / "c" / "net.c"
    start = "void net_infer(const uint8_t *image, int32_t *scores)\n{\n"
    text = source.read_text()
    assert text.count(start) == 1
    deep = '    uint8_t deep[5000];\n    __asm__ volatile("" ::"r"(deep) : "memory");\n'
    source.write_text(text.replace(start, start + deep))
    verdict = verified(copy, compilers=["zig"])
    told = [failure.message for failure in verdict.failures if "may need" in failure.message]
    assert len(told) == 1 and "> net_infer > " in told[0] and "raise interrupt_stack_bytes" in told[0]


def test_a_stack_deeper_than_its_code_shows_is_told(
    firmware_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow = StackBound(8, 48, ("spikenas_main",), frozenset(), frozenset())
    monkeypatch.setattr(firmware_image, "stack_bound", lambda image: shallow)
    (failure,) = verified(firmware_run).failures
    assert failure.cause == "plan" and "by its code 8 suffice" in failure.message


def test_planted_weight_in_the_sources_is_caught(copy: Path) -> None:
    """The sources still say that they are of this network, so only the integers can tell."""
    source = copy / "artifacts" / "c" / "net.c"
    text = source.read_text()
    changed = re.sub(
        r"(net_stem_weights\[\d+\] = \{\s*)(-?\d+)",
        lambda m: f"{m[1]}{int(m[2]) + (1 if int(m[2]) < 127 else -1)}",
        text,
    )
    assert changed != text
    source.write_text(changed)
    build(source.parent, load(BOARD), "zig")
    verdict = verified(copy)
    assert causes(verdict) == {"differs"}


def test_larger_array_is_caught(copy: Path) -> None:
    source = copy / "artifacts" / "c" / "net.c"
    text = source.read_text()
    source.write_text(re.sub(r"(net_stem_bias\[)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 2}", text))
    script = source.with_name("link.ld")
    script.write_text(re.sub(r"ASSERT\(SIZEOF\(\.constants\).*", "", script.read_text()))
    build(source.parent, load(BOARD), "zig")
    messages = [failure.message for failure in verified(copy).failures]
    assert any("net_stem_bias has" in message and "were predicted" in message for message in messages)


def test_write_beside_the_buffers_is_caught(copy: Path) -> None:
    source = copy / "artifacts" / "c" / "net.c"
    text = source.read_text()
    beside = "*(volatile uint32_t *)(uintptr_t)0x2001FF00u = 1u;"
    source.write_text(re.sub(r"(void net_infer\([^)]*\)\s*\{)", rf"\1\n    {beside}", text))
    build(source.parent, load(BOARD), "zig")
    messages = [failure.message for failure in verified(copy).failures]
    assert any("writes to 0x2001ff00 to 0x2001ff04, beside its arena" in message for message in messages)


def test_code_off_its_estimate_fails_for_the_measured_compiler_only(
    firmware_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.verification.firmware_image.code_bytes", lambda *_: 20_000)
    monkeypatch.setattr("exporters.c.compilers.version", lambda _: measured_version("zig"))
    (failure,) = verified(firmware_run).failures
    assert failure.cause == "plan" and "flash, whole image" in failure.message
    monkeypatch.setattr("exporters.c.compilers.version", lambda _: "0.1.2")
    verdict = verified(firmware_run)
    assert verdict.failures == ()
    assert any("flash, whole image" in note and "0.1.2 is installed" in note for note in verdict.notes)


def test_broken_image_is_a_failure_with_a_report(copy: Path) -> None:
    elf = copy / "artifacts" / "firmware.elf"
    elf.write_bytes(elf.read_bytes()[:200])
    verdict = verified(copy)
    assert causes(verdict) == {"broken"}
    assert json.loads((copy / "report.json").read_text())["passed"] is False


def test_narrowed_budget_is_over(firmware_run: Path) -> None:
    verdict = verified(firmware_run, limits=budget(load(BOARD), flash_bytes=2048))
    assert causes(verdict) == {"over_budget"}
    assert re.search(r"firmware.elf is over budget by [\d,]+ bytes: flash needs", verdict.failures[0].message)


def test_latency_of_firmware_is_an_estimate_from_its_instructions(firmware_run: Path) -> None:
    board = load(BOARD)
    verdict = verified(firmware_run, limits=budget(board, latency_ms=1000.0))
    line = next(line for line in verdict.budget if line.resource == "latency")
    assert (line.evidence, line.unit, line.available) == ("estimated", "us", 1_000_000)
    slowest_ms = image_range_ms(board, max(verdict.firmware[0].instructions))[1]
    assert line.used == int(slowest_ms * 1000) and "ms at 1 to" in line.note
    # Nothing fails by the estimate for a board that was never timed.
    late = verified(firmware_run, limits=budget(board, latency_ms=0.001))
    assert late.failures == () and any(
        "latency needs" in note and "--calibrate" in note for note in late.notes
    )
    timed = Calibration(
        board="mine", measured_on="2026-11-24", cycles_per_instruction=1.25, source="measured"
    )
    board = board.model_copy(update={"calibration": timed})
    late = verify(firmware_run, board, IMAGES, TARGETS, limits=budget(board, latency_ms=0.001))
    assert any("latency needs" in failure.message for failure in late.failures)


def test_the_estimate_of_instructions_is_beside_their_count(firmware_run: Path) -> None:
    (report,) = verified(firmware_run).firmware
    assert len(report.estimated_instructions) == len(report.instructions) > 0
    for estimate, count in zip(report.estimated_instructions, report.instructions, strict=True):
        assert estimate == pytest.approx(count, rel=0.1)


def test_energy_and_operations_are_held_once_to_the_prediction(firmware_run: Path, tmp_path: Path) -> None:
    board = load(BOARD)
    verdict = verified(firmware_run, limits=budget(board, energy_mj=1000.0, operations=10**9))
    assert verdict.failures == ()
    lines = [(line.artifact, line.resource, line.evidence) for line in verdict.budget]
    assert lines[-2:] == [("prediction", "energy", "estimated"), ("prediction", "operations", "estimated")]
    over = verified(firmware_run, limits=budget(board, energy_mj=1e-3, operations=10))
    assert causes(over) == {"over_budget"} and len(over.failures) == 1
    assert any("energy needs" in note for note in over.notes)
    for name in ("esp32s3", "raspberry_pi_4b"):
        board = load(name)
        limits = budget(board, energy_mj=1000.0, operations=10**9)
        found = [
            line.resource for line in verified(run(tmp_path / name, board=name), name, limits=limits).budget
        ]
        assert found.count("energy") == found.count("operations") == 1


def test_fewer_samples(firmware_run: Path) -> None:
    assert verified(firmware_run, samples=3).comparisons[0].images == 3


def test_slow_firmware_takes_fewer_images_and_says_so(
    firmware_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.verification.firmware_run.FIRMWARE_S", 0.0)
    verdict = verified(firmware_run)
    assert verdict.comparisons[0].images == TIMED_IMAGES
    assert any("`--samples 12` runs all" in note for note in verdict.notes)
    assert verified(firmware_run, samples=12).comparisons[0].images == 12


def test_two_compilers_and_two_emulators(firmware_run: Path, require_tool: Callable[[str], str]) -> None:
    require_tool("arm-none-eabi-gcc")
    require_tool("qemu-system-arm")
    verdict = verified(firmware_run, compilers=("zig", "gcc"), qemu=True)
    assert verdict.failures == ()
    assert "zig makes firmware.elf again, byte for byte" in verdict.notes
    assert [(row.artifact, row.runtime.split()[0], row.differing) for row in verdict.comparisons] == [
        ("firmware.elf", "unicorn", 0),
        ("firmware.elf", "QEMU", 0),
        ("firmware.elf (gcc)", "unicorn", 0),
        ("firmware.elf (gcc)", "QEMU", 0),
    ]


def test_core_that_only_qemu_has(
    tmp_path: Path, require_tool: Callable[[str], str], firmware_run: Path
) -> None:
    require_tool("qemu-system-arm")
    verdict = verified(run(tmp_path, board="mps3_an547"), "mps3_an547")
    assert verdict.failures == ()
    assert verdict.firmware[0].arena_written_bytes > 0 and verdict.firmware[0].instructions == ()
    assert verdict.comparisons[0].runtime == "QEMU mps3-an547"


def test_image_is_linked_again_for_a_machine_with_other_memories(
    tmp_path: Path, require_tool: Callable[[str], str], firmware_run: Path
) -> None:
    require_tool("qemu-system-arm")
    verdict = verified(run(tmp_path, board="rp2040"), "rp2040", qemu=True)
    assert verdict.failures == () and len(verdict.comparisons) == 2
    assert any("mps2-an385" in note and "(linked again for it)" in note for note in verdict.notes)
    assert "unicorn has no cortex-m0plus; cortex-m0 executed for it" in verdict.notes


def test_sources_of_a_core_that_nothing_here_has_run_on_this_machine(tmp_path: Path) -> None:
    verdict = verified(run(tmp_path, board="esp32s3"), "esp32s3")
    assert verdict.failures == ()
    (compared,) = verdict.comparisons
    assert (compared.runtime, compared.evidence) == ("C, compiled for this machine", "measured")
    assert {line.evidence for line in verdict.budget} == {"estimated"}
    assert any("xtensa-lx7 is not built or emulated here" in note for note in verdict.notes)


def test_changed_sources_are_not_run_natively(tmp_path: Path) -> None:
    folder = run(tmp_path, board="esp32s3")
    source = folder / "artifacts" / "c" / "snn_head.c"
    source.write_text(source.read_text() + "/* changed */")
    verdict = verified(folder, "esp32s3")
    assert causes(verdict) == {"broken"} and verdict.comparisons == ()
    assert "snn_head.c is not what this version exports" in verdict.failures[0].message


def test_firmware_without_any_emulator_is_told(firmware_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "unicorn", None)
    with pytest.raises(ToolMissingError, match="running firmware needs the Python package unicorn"):
        verified(firmware_run)


def test_linux_artifacts_pass_within_the_budget(tmp_path: Path) -> None:
    verdict = verified(run(tmp_path, board="raspberry_pi_4b"), "raspberry_pi_4b")
    assert verdict.failures == ()
    assert {row.artifact for row in verdict.comparisons} == {"model.onnx", "model_step.onnx", "model.tflite"}
    interpreted = {row.runtime for row in verdict.comparisons if row.artifact == "model.tflite"}
    newer = f"ai-edge-litert {metadata.version('ai-edge-litert')}, "
    assert {newer + "default delegate", newer + "reference kernels"} <= interpreted
    assert len(interpreted) == 1 + len(available())
    assert [cost.artifact for cost in verdict.costs] == ["model.onnx", *["model.tflite"] * len(available())]
    for cost in verdict.costs:
        assert 0 < cost.latency_us <= cost.latency_p95_us and "not the board" in cost.where
    assert {line.resource for line in verdict.budget} >= {"artifact", "latency"}
    here = [line for line in verdict.budget if line.resource != "artifact" and line.evidence == "measured"]
    assert here and all("not the board" in line.note for line in here)
    (predicted,) = [line for line in verdict.budget if line.evidence == "estimated"]
    assert (predicted.resource, predicted.note) == ("latency", "for the board")


def test_planted_weight_is_caught_in_every_linux_artifact(tmp_path: Path) -> None:
    verdict = verified(run(tmp_path, with_wrong_weight(GRAPH), "raspberry_pi_4b"), "raspberry_pi_4b")
    assert all(row.differing for row in verdict.comparisons) and len(verdict.comparisons) >= 4
    assert {"differs", "broken"} <= causes(verdict)
    for row in verdict.comparisons:
        assert row.first is not None and row.spikes is not None and row.by_output
        assert (row.spikes.node, row.spikes.image) == ("stem", row.first.image)
        assert 0 < row.differing_images <= sum(each.images for each in row.by_output) == row.differing
    rows = json.loads((tmp_path / "report.json").read_text())["comparisons"]
    assert all(row["spikes"]["node"] == "stem" and row["by_output"] and row["largest"] for row in rows)
    titles = {table.title for table in verdict_tables(verdict) if table.rows}
    assert {"Differences by output", "Where spikes first differ"} <= titles


def test_newer_operator_set_than_the_boards_is_caught(tmp_path: Path) -> None:
    folder = run(tmp_path, board="raspberry_pi_4b")
    messages = [failure.message for failure in verified(folder, "jetson_nano").failures]
    assert any("loads up to opset" in message and "jetson_nano" in message for message in messages)


@pytest.mark.parametrize(("board", "format"), [(BOARD, "onnx"), (BOARD, "tflite"), ("jetson_nano", "c")])
def test_formats_that_are_not_the_boards_are_compared_without_a_budget(
    tmp_path: Path, board: str, format: str
) -> None:
    save_graph(GRAPH, tmp_path)
    exporter(format).export(GRAPH, load(board), tmp_path / "artifacts")
    verdict = verified(tmp_path, board)
    assert verdict.failures == () and verdict.comparisons
    assert not [line for line in verdict.budget if line.evidence == "measured"]
    check_run(tmp_path, load(board), budget(load(board)))


def test_run_without_artifacts_is_refused(tmp_path: Path) -> None:
    save_graph(GRAPH, tmp_path)
    with pytest.raises(InputError, match="holds nothing to verify; run `spikenas-deploy export` first"):
        verified(tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_other_data_is_refused(firmware_run: Path) -> None:
    wrong = np.zeros((3, 1, 50, 50), np.uint8)
    with pytest.raises(InputError, match=r"test images are \[1, 50, 50\], but the network takes"):
        verify(firmware_run, load(BOARD), wrong, np.zeros(3, np.int64))


def test_slow_reference_kernels_take_fewer_images_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.verification.linux_artifacts.REFERENCE_IMAGES", 4)
    monkeypatch.setattr("toolchain.verification.linux_artifacts.REFERENCE_S", 0.0)
    folder = run(tmp_path, board="raspberry_pi_4b")

    def images(**options: object) -> dict[str, int]:
        verdict = verified(folder, "raspberry_pi_4b", **options)
        assert verdict.failures == ()
        return {row.runtime.partition(", ")[2]: row.images for row in verdict.comparisons}

    assert images()["reference kernels"] == 4 and images()["default delegate"] == 12
    assert images(samples=9)["reference kernels"] == 9
