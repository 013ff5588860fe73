"""What the firmware benchmark counts is what the product counts, and what it concludes follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import firmware
from benchmarks.dense import board, subjects, training
from benchmarks.dense.activity import activity
from benchmarks.dense.page import as_page
from benchmarks.dense.report import as_text
from benchmarks.dense.subjects import Subject, same_accuracy, same_shape
from exporters.c import export
from exporters.c.build import build as link
from toolchain import datasets
from toolchain.architecture.build import build
from toolchain.architecture.text import parse
from toolchain.errors import InputError
from toolchain.graph import reference
from toolchain.graph.nodes import Lif, SpikeConv
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.recipe import recipe
from toolchain.verification.instruction_count import counted
from toolchain.verification.runtimes.unicorn import UnicornRuntime

LINE = "t2 leak2 reset-subtract stem4/2 003000 stride8 head-count"


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    data = datasets.load(None)
    graph = build(parse(LINE), data.pixels, data.preprocessing, data.labels)
    network = SpikingNetwork(graph, seed=3)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.from_numpy(data.train.images[:64]))
    trained = QuantizedNetwork(network.eval()).graph()
    return Subject("digits", LINE, trained, data, recipe(len(data.train), 2), 0, 0.5, tmp_path / "digits")


def test_layers_add_up_to_what_the_product_counts(
    subject: Subject, tmp_path: Path, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    profile, image = board.board("cortex-m4"), subject.data.test.images[:2]
    export(subject.graph, profile, tmp_path)
    elf = link(tmp_path / "c", profile, "zig").elf
    expected = reference.scores(subject.graph, image)
    took, differing = board.measure(elf, tmp_path / "c" / "net.c", profile, subject.graph, image, expected)
    assert differing == 0
    assert list(took.instructions) == [node.name for node in subject.graph.nodes[1:]]
    assert min(took.instructions.values()) > 100
    runtime = UnicornRuntime(elf, profile, subject.graph)
    with counted(runtime._machine) as count:
        runtime.scores(image)
    assert took.total == count.instructions / 2
    assert all(0 < lines < took.instructions[name] for name, lines in took.flash_lines.items())


def test_synaptic_operations_are_those_of_the_spikes(subject: Subject) -> None:
    images = subject.data.test.images[:3]
    found = activity(subject.graph, images)
    trace = next(reference.traces(subject.graph, images))
    for node in subject.graph.all(Lif):
        wanted = 0
        for edge in node.edges:
            if isinstance(edge, SpikeConv):
                ones = np.ones(
                    (node.shape.channels, trace.spikes[edge.source].shape[2], edge.kernel, edge.kernel)
                )
                for step in trace.spikes[edge.source].astype(np.int64):
                    wanted += reference.convolve(step, ones.astype(np.int64), edge.stride).sum()
        assert found[node.name].synaptic_operations == wanted / 3
    assert found["stem"].density is None and 0 < found["head"].density < 1  # type: ignore[operator]


def test_the_narrowest_that_is_accurate_enough_is_taken(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    accuracies = dict(zip(subjects.WIDTHS, (0.1, 0.40, 0.47, 0.6, 0.7, 0.8), strict=True))

    def trained(graph: Any, width: float, *_: Any) -> Any:
        return SimpleNamespace(width=width, test_quality=accuracies[width])

    monkeypatch.setattr(subjects, "trained", trained)
    assert 0.03 < subject.noise < 0.04
    found, tried = same_accuracy(subject, lambda _: None)
    assert found.width == 0.5 and len(tried) == 3
    with pytest.raises(InputError, match="no dense network up to 1.5 times as wide comes to 90.00%"):
        same_accuracy(dataclasses.replace(subject, test_accuracy=0.9), lambda _: None)


def test_a_rival_is_trained_once(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    def train() -> training.Rival:
        arguments = subject.graph, 0.5, subject.data, subject.plan, 0, subject.folder
        return training.trained(*arguments, lambda _: None)

    first = train()
    assert [node.shape.channels for node in first.graph.all(Lif)] == [4, 4, 4]
    assert first.test_quality > 0.12, "it has learnt something"
    monkeypatch.setattr(training, "_fit", lambda *_: pytest.fail("trained again"))
    again = train()
    assert again.test_quality == first.test_quality
    for one, other in zip(first.network.layers, again.network.layers, strict=True):
        assert np.array_equal(one.convolutions[0].weight, other.convolutions[0].weight)  # type: ignore[union-attr]


def test_tables_and_page_say_what_was_measured(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    rival = SimpleNamespace(width=0.5, test_quality=0.51, network=same_shape(subject))
    monkeypatch.setattr(firmware, "same_accuracy", lambda *_: (rival, [rival]))
    found = firmware.measured(subject, ["cortex-m4"], "zig", 1)
    (row,) = found["cores"]
    # Both rivals are the same network here.
    assert row["dense_int8"] == row["equal_accuracy_cnn"]
    ratio = row["spiking"]["instructions"] / row["dense_int8"]["instructions"]
    assert row["instructions_vs_dense_int8"] == round(ratio, 3)
    assert sum(layer["instructions"] for layer in row["layers"]) == pytest.approx(
        row["spiking"]["instructions"], abs=9
    )
    document = {"compiler": "zig 0", "networks": [found], "curves": []}
    for text in (as_text(document, True), as_page(document)):
        assert (
            f"{row['spiking']['instructions']:,}" in text and f"{row['dense_int8']['sram_bytes']:,}" in text
        )
        assert "cell0_node3" in text


def test_a_curve_has_the_rival_of_each_accuracy(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_package: Callable[[str], None]
) -> None:
    require_package("unicorn")
    asked: list[Subject] = []

    def planned(plans: list[subjects.Planned], *_: Any) -> list[Subject]:
        rates = [plan.training.get("spike_rate") for plan in plans]
        assert rates == [None, None, 0.1, None] and plans[1] == plans[0]
        assert [plan.name for plan in plans[2:]] == ["digits-0.1", "digits-t1"]
        assert [plan.line.split()[0] for plan in plans] == ["t4", "t4", "t4", "t1"]
        return [dataclasses.replace(subject, test_accuracy=accuracy) for accuracy in (0.5, 0.5, 0.4, 0.3)]

    def equal(found: Subject, *_: Any) -> Any:
        asked.append(found)
        width = found.test_accuracy / 2
        network = subjects.quantized(
            subjects.DenseCnn(training.scaled(found.graph, 2 * width), seed=0), subject.data.train.images[:8]
        )
        return SimpleNamespace(width=width, network=network), []

    monkeypatch.setattr(firmware, "planned_subjects", planned)
    monkeypatch.setattr(firmware, "same_accuracy", equal)
    found = firmware.curve(firmware.DIGITS, ((4, None), (4, 0.1), (1, None)), tmp_path, "zig", 1)
    assert [each.test_accuracy for each in asked] == [0.5, 0.4, 0.3]
    first, second, third = found["rows"]
    assert [first["equal_accuracy_width"], second["equal_accuracy_width"]] == [0.25, 0.2]
    assert [third["time_steps"], third["spike_rate"], third["equal_accuracy_width"]] == [1, None, 0.15]
    assert first["instructions"] == second["instructions"] > 0 and first["synaptic_operations"] > 0
    document = {"compiler": "zig 0", "networks": [], "curves": [found]}
    for text in (as_text(document, False), as_page(document)):
        assert f"{first['synaptic_operations']:,}" in text and "40.00%" in text
        assert "digits" in text and "cortex-m4" in text
