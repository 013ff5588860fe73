"""``spikes.json`` beside the C sources: the spikes that decided which kernels run the layers.

What made the sources is the network, the board and these numbers, so whoever has all three can make the same again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolchain.cost.event_lists import LayerEvents, Lists, convolutions
from toolchain.errors import InputError
from toolchain.files import read_json
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif

FILE = "spikes.json"
"""Its name in the folder of the sources."""

MAX_BYTES = 1024 * 1024
"""Largest that is read: thousands of layers."""

# No sum of a few dozen images is near this.
_Count = Annotated[int, Field(ge=0, le=1 << 53)]
_Some = Annotated[int, Field(ge=1, le=1 << 53)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Lists(_Part):
    rows: _Count
    events: _Count
    lists: _Count


class _Layer(_Part):
    images: _Some
    neurons: _Some
    spikes: _Count
    pairs: _Count
    both: _Count
    apart: _Lists
    shared: _Lists


class _Record(_Part):
    record: Literal["spikenas-spikes/1"] = Field(alias="schema")
    layers: dict[str, _Layer] | None


def text(events: Mapping[str, LayerEvents] | None) -> str:
    """What the file says of ``events``; None: there were no images to count spikes on."""
    layers = None if events is None else {name: asdict(found) for name, found in events.items()}
    return json.dumps({"schema": "spikenas-spikes/1", "layers": layers}, indent=2) + "\n"


def read(folder: Path, graph: Graph) -> dict[str, LayerEvents] | None:
    """What the file in ``folder`` says of the layers of ``graph``; raises ``InputError`` if it is missing or broken."""
    path = folder / FILE
    try:
        layers = _Record.model_validate(read_json(path, MAX_BYTES)).layers
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise InputError(f"{path} is broken: {where}: {detail['msg']}; export it again") from error
    if layers is None:
        return None
    if layers.keys() != {node.name for node in graph.all(Lif) if convolutions(node)}:
        raise InputError(f"{path} tells of other layers than this network has; export it again")
    return {
        name: LayerEvents(
            **layer.model_dump(exclude={"apart", "shared"}),
            apart=Lists(**layer.apart.model_dump()),
            shared=Lists(**layer.shared.model_dump()),
        )
        for name, layer in layers.items()
    }


def read_if_there(folder: Path, graph: Graph) -> dict[str, LayerEvents] | None:
    """The same; None also if there is no such file, as where the sources did not come with the image."""
    return read(folder, graph) if (folder / FILE).is_file() else None
