from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exporters.c import export, spike_record
from tests.support.graphs import random_graph, random_images
from toolchain import profiles
from toolchain.cost.event_lists import calibrated
from toolchain.errors import InputError

GRAPH = random_graph(1)
BOARD = profiles.load("stm32f405")
EVENTS = calibrated(GRAPH, random_images(GRAPH, 4))


def written(folder: Path, change: Any) -> Path:
    document = json.loads(spike_record.text(EVENTS))
    change(document)
    (folder / spike_record.FILE).write_text(json.dumps(document))
    return folder


def test_what_is_written_is_read_and_decides_the_same(tmp_path: Path) -> None:
    first = export(GRAPH, BOARD, tmp_path / "first", events=EVENTS)
    events = spike_record.read(tmp_path / "first" / "c", GRAPH)
    assert events == EVENTS
    second = export(GRAPH, BOARD, tmp_path / "second", events=events)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_without_images_it_says_so(tmp_path: Path) -> None:
    export(GRAPH, BOARD, tmp_path)
    assert spike_record.read(tmp_path / "c", GRAPH) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema="spikenas-spikes/9"), "schema: Input should be 'spikenas-spikes/1'"),
        (
            lambda d: d["layers"]["node0"].update(images=0),
            "layers.node0.images: .* greater than or equal to 1",
        ),
        (lambda d: d["layers"]["node0"].update(neurons=0), "layers.node0.neurons: .* than or equal to 1"),
        (
            lambda d: d["layers"]["node0"]["apart"].update(rows=-1),
            "apart.rows: .* greater than or equal to 0",
        ),
        (
            lambda d: d["layers"]["node0"]["apart"].update(rows=1 << 60),
            "apart.rows: .* less than or equal to",
        ),
        (lambda d: d["layers"]["node0"].update(both="many"), "both: Input should be a valid integer"),
        (lambda d: d["layers"]["node0"].update(more=1), "more: Extra inputs are not permitted"),
        (lambda d: d["layers"].pop("node0"), "tells of other layers than this network has"),
        (lambda d: d["layers"].update(stem=d["layers"]["node0"]), "tells of other layers than this network"),
    ],
)
def test_a_broken_record_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        spike_record.read(written(tmp_path, change), GRAPH)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=spike_record.FILE):
        spike_record.read(tmp_path, GRAPH)
    assert spike_record.read_if_there(tmp_path, GRAPH) is None
    (tmp_path / spike_record.FILE).write_text(spike_record.text(EVENTS))
    assert spike_record.read_if_there(tmp_path, GRAPH) == EVENTS
