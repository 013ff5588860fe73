"""``export``: a Graph with weights becomes a folder of C sources for a board."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.c import templates
from exporters.c.constants import constants, known_answer
from exporters.c.cores import CORES
from exporters.c.placement import linker_script
from toolchain import __version__
from toolchain.cost.kernels import MAX_WEIGHT_ROWS
from toolchain.cost.layout import Layout, layout
from toolchain.cost.packing import weight_rows
from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.graph import reference
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, OrPool, PixelConv
from toolchain.profiles.schema import Profile

FOLDER = "c"
"""The sources' folder within the artifacts."""

KERNELS = (
    "snn.h",
    "snn_neurons.c",
    "snn_pixel.c",
    "snn_spike.c",
    "snn_or_pool.c",
    "snn_head.c",
    "snn_self_test.c",
)
START_UP = "startup.c"

Pixels = NDArray[np.uint8]


def export(
    graph: Graph, profile: Profile, folder: Path, *, known_image: Pixels | None = None, prefix: str = "net"
) -> list[Path]:
    """Write the network's C sources into ``folder/c`` and return their paths.

    ``known_image`` (uint8 [C, H, W], preprocessed) is embedded with its scores as the self-test; without
    one, noise that depends on the network alone is taken. ``prefix`` starts the network's symbols and names
    its file pair, so that two networks can be linked into one image. Boards with a Cortex-M also get
    firmware around the network: main loop, start-up code, linker script.

    Raises ``InputError`` if the network is invalid or has no weights, or the image is of another shape.
    """
    require_valid(graph, "the network", weights=True)
    for node in graph.all(Lif):
        if (rows := weight_rows(graph, node)) > MAX_WEIGHT_ROWS:
            raise InputError(
                f"{node.name} has {rows} weight rows, more than the {MAX_WEIGHT_ROWS} of an event; use fewer edges or channels"
            )
    image = known_image if known_image is not None else noise(graph)
    if image.dtype != np.uint8 or image.shape != tuple(graph.input.shape):
        raise InputError(
            f"the known image is {image.dtype}{list(image.shape)}, not uint8{list(graph.input.shape)}"
        )
    plan = layout(graph, profile)
    context = {**_description(graph, plan, prefix), **_contents(graph, plan, image)}
    sources = {name: _runtime(name) for name in KERNELS}
    sources[f"{prefix}.h"] = templates.render("net.h.j2", context)
    sources[f"{prefix}.c"] = templates.render("net.c.j2", context)
    bare_metal = {"firmware.c", START_UP, "link.ld"}
    if profile.core in CORES:
        sources["firmware.c"] = templates.render("firmware.c.j2", context)
        sources[START_UP] = _runtime(START_UP)
        sources["link.ld"] = linker_script(plan, profile, prefix)
    for stale in bare_metal - sources.keys():
        (folder / FOLDER / stale).unlink(missing_ok=True)
    for name, text in sources.items():
        write_atomic(folder / FOLDER / name, text)
    return [folder / FOLDER / name for name in sources]


def noise(graph: Graph) -> Pixels:
    """An image of noise, uint8 [C, H, W], that depends on the network's hash alone."""
    shape = graph.input.shape
    stream = hashlib.shake_256(graph.sha256().encode()).digest(shape.size)
    return np.frombuffer(stream, np.uint8).reshape(shape)


def _description(graph: Graph, plan: Layout, prefix: str) -> dict[str, object]:
    digest = graph.sha256()
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "version": __version__,
        "sha256": digest,
        "labels": [templates.comment(label) for label in graph.labels],
        "shape": graph.input.shape,
        "classes": graph.head.classes,
        "time_steps": graph.time_steps,
        "score_exponent": graph.head.exponent,
        "arena_bytes": plan.arena_bytes,
        "constants_bytes": plan.constants_bytes,
        "mailbox_bytes": plan.mailbox_bytes,
        "info": {
            "version": f'"{__version__[:15]}"',
            "compiler": "SNN_COMPILER",
            "sha256": "{" + ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(digest)) + "}",
            "time_steps": graph.time_steps,
        },
    }


def _contents(graph: Graph, plan: Layout, image: Pixels) -> dict[str, object]:
    placed = {buffer.name: buffer for buffer in plan.buffers}
    scores = reference.scores(graph, image[np.newaxis])[0]
    schedule = []
    for node in graph.nodes[1:]:
        if isinstance(node, Lif):
            pixels = isinstance(node.edges[0], PixelConv)
            schedule.append(
                ("snn_pixel", node.name, "image, arena") if pixels else ("snn_spike", node.name, "arena")
            )
        elif isinstance(node, OrPool):
            schedule.append(("snn_or_pool", node.name, "arena"))
        elif isinstance(node, Head):
            schedule.append(("snn_head", node.name, "arena, scores"))
    return {"symbols": [*constants(graph, placed), *known_answer(image, scores)], "schedule": schedule}


def _runtime(name: str) -> str:
    return (files("exporters.c") / "runtime" / name).read_text(encoding="utf-8")
