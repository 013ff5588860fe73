"""Rows, events and lists that are counted from spikes, against what firmware executes for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dense.board import board
from benchmarks.event_costs import Layer, executed, network
from exporters.c import export
from exporters.c.build import build
from tests.support.graphs import random_graph, random_images
from toolchain.cost.event_lists import (
    CALIBRATION_IMAGES,
    LayerEvents,
    Lists,
    calibrated,
    convolutions,
    layer_events,
)
from toolchain.cost.packing import blocks
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Leak, Lif, Shape, SpikeConv
from toolchain.verification.elf import read_elf
from toolchain.verification.emulator import Emulator
from toolchain.verification.instruction_count import thumb_instructions
from toolchain.verification.mailbox import Mailbox, infer_all

INSTRUCTIONS = {8: (15, 4, 8), 4: (20, 5, 10), 2: (21, 5, 10)}
"""Of a row, an event and a list in ``snn_rows_dsp.c``, by the bits of a weight; counted in its source."""


def predicted(graph: Graph, events: dict[str, LayerEvents], shared: bool) -> dict[str, int]:
    """Instructions of each function that adds rows."""
    found: dict[str, int] = {}
    for node in graph.all(Lif):
        if convolutions(node):
            lists = events[node.name].shared if shared else events[node.name].apart
            row, event, begun = INSTRUCTIONS[node.bits]
            each = row * lists.rows + event * lists.events + begun * lists.lists
            name = f"snn_add_rows_{node.bits}"
            found[name] = found.get(name, 0) + each * blocks(node.shape.channels)
    return found


def subject(seed: int) -> tuple[Graph, np.ndarray]:
    """A random network and an image for it; below 0, one whose channels fill whole blocks."""
    if seed < 0:
        layer = Layer(-seed, 32, 0.2, 0.6, time_steps=3, clustered=True)
        graph, images = network(layer, 8)
        return graph, images[:1]
    graph = random_graph(seed)
    return graph, random_images(graph, 3)[2:]


@pytest.mark.parametrize(
    ("seed", "shared"), [(1, True), (3, False), (5, True), (12, True), (-16, True), (-48, False)]
)
def test_firmware_executes_what_is_counted(seed: int, shared: bool, tmp_path: Path) -> None:
    graph, images = subject(seed)
    profile = board("cortex-m4")
    export(graph, profile, tmp_path)
    source = tmp_path / "c" / "net.c"
    if not shared:
        source.write_text(source.read_text().replace(".share = 1,", ".share = 0,"))
    image = read_elf(build(tmp_path / "c", profile).elf)
    machine, mailbox = Emulator(image, profile), Mailbox.of(image, graph)
    mailbox.boot(machine)
    with executed(machine) as ran:
        infer_all(machine, mailbox, images)
    found: dict[str, int] = {}
    for (address, size), times in ran.items():
        if (name := image.function_at(address)).startswith("snn_add_rows"):
            found[name] = found.get(name, 0) + times * thumb_instructions(machine.read(address, size))
    expected = predicted(graph, calibrated(graph, images), shared)
    assert found == expected and all(found.values())


def spikes_of(*steps: tuple[tuple[int, int, int], ...]) -> dict[str, np.ndarray]:
    """One image's spikes of a map ``a`` of 32 channels, 2 x 3: the neurons (channel, row, column) of each step."""
    planes = np.zeros((len(steps), 1, 32, 2, 3), np.uint8)
    for t, neurons in enumerate(steps):
        for channel, row, column in neurons:
            planes[t, 0, channel, row, column] = 1
    return {"a": planes}


def counted(time_steps: int, kernel: int, spikes: dict[str, np.ndarray], edges: int = 1) -> LayerEvents:
    node = Lif("b", Shape(16, 2, 3), tuple(SpikeConv("a", kernel, 1) for _ in range(edges)), Leak("none", 1))
    return layer_events(replace(random_graph(0), time_steps=time_steps), node, spikes)


def test_a_neuron_of_both_steps_is_one_row_if_shared() -> None:
    found = counted(2, 1, spikes_of(((0, 0, 0), (1, 0, 0), (20, 1, 2)), ((0, 0, 0), (31, 1, 2))))
    assert found.apart == Lists(rows=5, events=4, lists=4)
    # Both: channel 0. First alone: channels 1 and 20, at two positions. Second alone: channel 31.
    assert found.shared == Lists(rows=4, events=4, lists=4)
    assert (found.spikes, found.neurons, found.both, found.pairs) == (5, 2 * 192, 1, 192)
    assert found.spike_rate == 5 / 384 and found.both_rate == 1 / 192


def test_a_window_sees_a_neuron_from_every_position_around_it() -> None:
    found = counted(1, 3, spikes_of(((0, 0, 0),)))
    assert found.apart == found.shared == Lists(rows=4, events=4, lists=4)
    assert found.pairs == found.both == 0 and found.both_rate == 0


def test_the_last_of_an_odd_number_of_steps_is_alone() -> None:
    every = ((0, 0, 0),)
    found = counted(3, 1, spikes_of(every, every, every))
    assert found.apart == Lists(3, 3, 3) and found.shared == Lists(2, 2, 2)


def test_a_source_that_two_edges_read_is_counted_once() -> None:
    found = counted(2, 1, spikes_of(((0, 0, 0),), ((0, 0, 0),)), edges=2)
    assert found.both == 1 and found.pairs == 192 and found.apart == Lists(rows=4, events=4, lists=2)


def test_a_sample_of_the_images_is_taken_from_all_of_them() -> None:
    graph = random_graph(1)
    images = np.zeros((5 * CALIBRATION_IMAGES, *graph.input.extents), np.uint8)
    assert {found.images for found in calibrated(graph, images).values()} == {CALIBRATION_IMAGES}
    few = {found.images for found in calibrated(graph, images[:3]).values()}
    assert few == {3}
    images[-1] = 255
    black, lit = calibrated(graph, images[:-1]), calibrated(graph, images)
    assert black != lit
