from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.toolchain.reporting.conftest import LABELS, NAME, SAMPLES, quiet
from toolchain.cost.cycles import pace
from toolchain.cost.operations import parameter_count
from toolchain.errors import InputError
from toolchain.graph.storage import load_graph, save_graph
from toolchain.reporting.document import Report, as_json
from toolchain.reporting.page import page
from toolchain.reporting.report import compare, report
from toolchain.reporting.report_tables import sentences, tables
from toolchain.runs import RunFolder
from toolchain.verification.divergence import Divergence
from toolchain.verification.linux_cost import LinuxCost
from toolchain.verification.verdict import BoardReport, Failure, read_verdict

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "reference" / "report-schema.json").read_text()
)


def valid(document: Any) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


@pytest.fixture(scope="module")
def whole(deployed: RunFolder) -> Report:
    return report(deployed, samples=SAMPLES, progress=quiet)


def test_the_verdict_is_the_run_s_own(whole: Report, deployed: RunFolder) -> None:
    verdict = json.loads(deployed.report.read_text())
    assert whole.state == "verified" and whole.verdict is not None and whole.verdict.passed
    rows = [
        row.model_dump(include={"resource", "used", "available", "headroom", "evidence"})
        for row in whole.budget
    ]
    assert rows == [{name: line[name] for name in rows[0]} for line in verdict["budget"]]
    assert {row.evidence for row in whole.budget} >= {"measured", "emulated"}


def test_regions_add_up_and_are_what_was_linked(whole: Report, deployed: RunFolder) -> None:
    assert whole.memory is not None
    verdict = json.loads(deployed.report.read_text())
    used = {line["resource"]: line["used"] for line in verdict["budget"] if line["evidence"] == "measured"}
    for region in whole.memory.regions:
        assert sum(segment.size_bytes for segment in region.segments) == region.size_bytes
        assert region.used_bytes == used[region.name]
    segments = {segment.kind: segment for region in whole.memory.regions for segment in region.segments}
    assert {"code", "weights", "arena", "mailbox", "stack"} <= set(segments)
    assert {segments[kind].evidence for kind in ("code", "weights", "arena")} == {"measured"}
    proofs = {proof["name"]: proof["used_bytes"] for proof in verdict["firmware"][0]["proofs"]}
    assert [segments[kind].size_bytes for kind in ("arena", "mailbox", "stack")] == [
        proofs[kind] for kind in ("arena", "mailbox", "stack")
    ]


def test_candidates_are_those_of_the_search(whole: Report, deployed: RunFolder) -> None:
    found = json.loads(deployed.search.read_text())
    assert whole.search is not None and whole.search.candidates
    assert [(c.id, c.front, c.quality) for c in whole.search.candidates] == [
        (c["id"], c["front"], c["accuracy"]) for c in found["trained"]
    ]
    assert [c.architecture for c in whole.search.candidates if c.chosen] == [
        whole.architecture and whole.architecture.text
    ]


def test_layers_add_up_to_the_network(whole: Report, deployed: RunFolder) -> None:
    graph = load_graph(deployed.path)
    assert [layer.name for layer in whole.layers] == [node.name for node in graph.nodes[1:]]
    assert whole.operations is not None
    assert sum(layer.parameters or 0 for layer in whole.layers) == parameter_count(graph)
    assert sum(layer.dense_acs for layer in whole.layers) == whole.operations.dense_acs
    spiking = json.loads(deployed.report.read_text())["operations"]
    assert whole.operations.effective_acs == spiking["effective_acs"]
    assert {each.name: each.spike_rate for each in whole.layers if each.kind != "read-out"} == spiking[
        "spike_rates"
    ]


def test_stages_go_from_search_to_the_artifact(whole: Report, deployed: RunFolder) -> None:
    assert whole.quality is not None and whole.quality.measure == "accuracy"
    training = json.loads(deployed.training.read_text())
    found = {(stage.stage, stage.part): stage for stage in whole.quality.stages}
    assert found["float", "test"].value == training["float_test_accuracy"]
    assert found["quantized", "test"].value == training["test_accuracy"]
    (emulated,) = [stage for stage in whole.quality.stages if stage.evidence == "emulated"]
    assert emulated.stage.startswith("firmware.elf in unicorn")


def test_confusion_counts_what_the_verdict_counted(whole: Report, deployed: RunFolder) -> None:
    assert whole.outputs is not None and whole.outputs.confusion is not None
    found, (compared, *_) = whole.outputs.confusion, json.loads(deployed.report.read_text())["comparisons"]
    assert found.labels == list(LABELS)
    assert sum(map(sum, found.matrix)) == whole.outputs.images == compared["images"]
    assert sum(row[i] for i, row in enumerate(found.matrix)) == compared["reference_correct"]
    wrong = [each for each in found.examples if not each.right]
    assert len(wrong) == min(12, whole.outputs.images - compared["reference_correct"])
    assert all(each.target != each.predicted for each in wrong)
    assert [each.margin for each in wrong] == sorted((each.margin or 0 for each in wrong), reverse=True)
    assert all(each.picture.startswith("data:image/png;base64,") for each in found.examples)


def test_costs_name_their_source(whole: Report, deployed: RunFolder) -> None:
    instructions = max(json.loads(deployed.report.read_text())["firmware"][0]["instructions"])
    figures = {figure.unit: figure for figure in reversed(whole.latency)}
    assert (figures["instructions"].value, figures["instructions"].evidence) == (instructions, "emulated")
    cycles = pace(deployed.profile())
    assert figures["ms"].value == pytest.approx(instructions * cycles.most / 168e6 * 1e3)
    assert cycles.source in figures["ms"].source and figures["ms"].source.endswith("not calibrated")
    # Both at the spikes of the slowest image, so the model's time is near that of the counted instructions.
    emulated, model = (figure for figure in whole.latency if figure.unit == "ms")
    assert model.value == pytest.approx(emulated.value, rel=0.1)
    power = deployed.profile().power
    assert power is not None
    assert whole.energy[0].value == pytest.approx(figures["ms"].value * power.active_mw / 1e3)
    assert power.source in whole.energy[0].source and {f.evidence for f in whole.energy} == {"estimated"}


def test_provenance_has_hashes_versions_and_seeds(whole: Report, deployed: RunFolder) -> None:
    manifest = json.loads(deployed.manifest.read_text())
    found = whole.provenance
    assert found.graph_sha256 == manifest["graph_sha256"] and found.packages == manifest["packages"]
    assert found.data_sha256 == deployed.settings().data.sha256
    assert {file.name for file in found.files} == set(manifest["artifacts"])


def test_what_is_asked_for_is_looked_at(deployed: RunFolder) -> None:
    found = report(deployed, samples=7, progress=quiet).outputs
    assert found is not None and (found.images, found.of_images) == (7, 60)


@pytest.mark.parametrize(
    ("state", "command"),
    [("exported", "verify"), ("trained", "export"), ("searched", "train"), ("searching", "search --resume")],
)
def test_every_state_says_what_is_missing(
    in_state: Callable[[str], RunFolder], state: str, command: str
) -> None:
    run = in_state(state)
    found = report(run, progress=quiet)
    assert found.state == state and found.verdict is None
    assert f"spikenas-deploy {command} '{run.path}'" in [each.command for each in found.missing]
    assert valid(as_json(found))
    assert (found.outputs is not None) == (state in ("exported", "trained"))
    assert (found.memory is not None) == (state != "searching")
    if found.memory is not None:
        evidences = {s.evidence for region in found.memory.regions for s in region.segments}
        assert evidences == {"estimated", None}


def test_a_training_that_did_not_end_is_told(in_state: Callable[[str], RunFolder]) -> None:
    run = in_state("searched")
    run.unfinished_training.write_bytes(b"")
    commands = [each.command for each in report(run, progress=quiet).missing]
    assert f"spikenas-deploy train --resume '{run.path}'" in commands


def test_artifacts_of_an_earlier_network_are_not_those_of_this_one(copied: RunFolder) -> None:
    graph = load_graph(copied.path)
    graph.head.bias[0] += 1  # type: ignore[index]
    save_graph(graph, copied.path)
    copied.forget_verdict()
    found = report(copied, progress=quiet)
    assert found.state == "trained"
    assert [each.command for each in found.missing] == [f"spikenas-deploy export '{copied.path}'"]


def test_a_network_that_has_learnt_nothing_is_told_of(copied: RunFolder) -> None:
    told = "no better than always answering the most frequent class"
    for at_chance in (False, True):
        training = json.loads(copied.training.read_text()) | {"at_chance": at_chance}
        copied.training.write_text(json.dumps(training))
        found = report(copied, progress=quiet)
        assert valid(as_json(found))
        assert (told in page(found)) == (told in " ".join(sentences(found))) == at_chance


def test_a_failed_verdict_says_why(copied: RunFolder) -> None:
    failed = replace(read_verdict(copied.report), failures=(Failure("over_budget", "too large <b>"),))
    failed.write(copied.report)
    found = report(copied, progress=quiet)
    assert found.state == "failed" and found.verdict is not None
    assert [failure.message for failure in found.verdict.failures] == ["too large <b>"]
    assert valid(as_json(found))


def differing(run: RunFolder, spikes: Divergence) -> Report:
    """The report of ``run``, in whose verdict the first artifact differs, at ``spikes`` first."""
    verdict = read_verdict(run.report)
    first, *others = verdict.comparisons
    failed = replace(first, differing=4, spikes=spikes)
    replace(verdict, comparisons=(failed, *others), failures=(Failure("differs", "it differs"),)).write(
        run.report
    )
    return report(run, samples=5, progress=quiet)


def test_the_first_spike_that_differs_is_told(copied: RunFolder) -> None:
    found = differing(copied, Divergence(3, "stem", 1, 2, 0, 5, 0, 1, 7, 100))
    document = as_json(found)
    assert valid(document)
    compared = document["verdict"]["compared"]
    assert [row["spikes"] for row in compared[1:]] == [None] * (len(compared) - 1)
    assert compared[0]["spikes"] == {
        "image": 3,
        "node": "stem",
        "time_step": 1,
        "channel": 2,
        "row": 0,
        "column": 5,
        "expected": 0,
        "got": 1,
        "differing": 7,
        "spikes": 100,
    }
    (row,) = tables(found)["spikes"].rows
    assert row[2:] == ("3", "stem", "1", "2", "0", "5", "1 instead of 0")
    assert "Where spikes first differ" in page(found)


def test_a_read_out_that_differs_is_told_as_such(copied: RunFolder) -> None:
    found = differing(copied, Divergence(3, "head", None, None, None, None, None, None, 0, 0))
    assert valid(as_json(found))
    (row,) = tables(found)["spikes"].rows
    assert row[2:] == ("3", "head", "", "", "", "", "all spikes agree")


def test_where_no_spike_differs_there_is_no_table(whole: Report) -> None:
    assert "spikes" not in tables(whole) and "first differ" not in page(whole)


def test_a_verdict_on_another_network_does_not_count(copied: RunFolder) -> None:
    replace(read_verdict(copied.report), graph_sha256="0" * 64).write(copied.report)
    found = report(copied, progress=quiet)
    assert found.verdict is None and found.state == "exported"
    assert any("another network" in each.why for each in found.missing)


def test_data_that_are_gone_are_told_and_the_rest_is_shown(copied: RunFolder) -> None:
    text = copied.settings_file.read_text()
    copied.settings_file.write_text(text.replace("bars.npz", "gone.npz"))
    found = report(copied, progress=quiet)
    assert found.outputs is None and found.verdict is not None and found.memory is not None
    assert any("gone.npz does not exist" in each.why for each in found.missing)


@pytest.mark.parametrize("name", ["search.json", "training.json", "manifest.json", "report.json"])
def test_a_broken_file_is_one_sentence(copied: RunFolder, name: str) -> None:
    for content in ('{"schema": "spikenas-verdict/1"}', "[]", "{"):
        (copied.path / name).write_text(content)
        with pytest.raises(InputError, match=name) as refused:
            report(copied, progress=quiet)
        assert "\n" not in str(refused.value)


def test_numbers_have_errors_in_place_of_classes(numbers: RunFolder) -> None:
    found = report(numbers, progress=quiet)
    assert found.task == "regression" and found.outputs is not None and found.outputs.confusion is None
    training = json.loads(numbers.training.read_text())
    told = found.outputs.numbers
    assert [number.label for number in told] == ["offset <b>", "brightness"]
    assert sum(number.r2 for number in told) / 2 == pytest.approx(training["test_r2"])
    assert all(len(number.points) == found.outputs.images for number in told)
    assert found.memory is None and found.budget  # a Linux board has no regions
    assert valid(as_json(found))


def test_a_float_network_shows_what_it_has(float_run: RunFolder) -> None:
    found = report(float_run, progress=quiet)
    assert found.quality is not None and {stage.stage for stage in found.quality.stages} == {"float"}
    assert found.architecture is not None
    assert [block.cell for block in found.architecture.blocks if block.cell] == ["302202", "302202"]
    assert any("integers" in each.why for each in found.missing)
    assert found.outputs is None and valid(as_json(found))


def test_the_published_schema_takes_ours_and_nothing_else(whole: Report, deployed: RunFolder) -> None:
    document = as_json(whole)
    assert document["schema"] == "spikenas-report/1" and document["run"] == NAME
    assert valid(document) and valid(as_json(compare([deployed, deployed], samples=5, progress=quiet)))
    assert not valid(document | {"schema": "spikenas-report/2"})
    assert not valid(document | {"more": 1})
    assert not valid({name: value for name, value in document.items() if name != "budget"})
    assert "data:image" not in json.dumps(document)


def test_one_run_alone_cannot_be_compared(deployed: RunFolder) -> None:
    with pytest.raises(InputError, match="two runs or more"):
        compare([deployed], progress=quiet)


def test_torch_is_not_needed(deployed: RunFolder, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules.update({'torch': None, 'snntorch': None, 'onnx': None})\n"
        "from toolchain.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    page = tmp_path / "page.html"
    done = subprocess.run(
        [sys.executable, "-c", script, "report", str(deployed.path), "--out", str(page)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(page)), done.stderr


def test_a_real_board_is_told_with_what_it_took(copied: RunFolder) -> None:
    board = BoardReport("Raspberry Pi 4", "aarch64", "Debian 12", 48.7, 61.2, 1500.0, 1800.0, False)
    costs = (
        LinuxCost("model.onnx", "onnxruntime 1.32.0", 9_000_000, 12_345, 13_000, "on Raspberry Pi 4"),
        LinuxCost("model_tensorrt.onnx", "trtexec (int8)", None, 700, 900, "on Raspberry Pi 4"),
    )
    replace(read_verdict(copied.report), boards=(board,), costs=costs).write(copied.report)
    found = report(copied, samples=SAMPLES, progress=quiet)
    assert valid(as_json(found)) and found.verdict is not None
    (told,) = found.verdict.boards
    assert (told.board, told.temperature_after_c, told.evidence) == ("Raspberry Pi 4", 61.2, "measured")
    figures = {each.name: each for each in found.latency}
    assert figures["model.onnx, median"].value == 12.345
    assert figures["model.onnx, median"].evidence == "measured"
    assert figures["model.onnx, median"].source == "one thread of onnxruntime 1.32.0 on Raspberry Pi 4"
    assert figures["model_tensorrt.onnx, 95th percentile"].source == "trtexec (int8) on Raspberry Pi 4"
    rows = {row[1]: row[2:] for row in tables(found)["boards"].rows}
    assert rows["temperature after"] == ("61.2 °C", "measured")
    assert rows["clock, slowest core"] == ("1,500 MHz", "measured")
    assert rows["held back by heat or supply"] == ("no", "measured")
    text = page(found)
    assert "On the board" in text and "61.2 °C" in text


def test_estimates_of_a_calibrated_board_say_so(copied: RunFolder) -> None:
    plain = {each.name: each for each in report(copied, samples=SAMPLES, progress=quiet).latency}
    document = json.loads(copied.profile_file.read_text())
    slowest = pace(copied.profile()).most
    document["calibration"] = {
        "board": "my board",
        "measured_on": "2026-01-31",
        "cycles_per_instruction": 1.5,
        "source": "measured",
    }
    copied.profile_file.write_text(json.dumps(document))
    found = {each.name: each for each in report(copied, samples=SAMPLES, progress=quiet).latency}
    for name in ("at the instructions that were emulated", "by the cost model"):
        assert found[name].value == pytest.approx(1.5 / slowest * plain[name].value)
        assert found[name].evidence == "estimated"
        assert found[name].source.endswith("calibrated on my board, 2026-01-31")
