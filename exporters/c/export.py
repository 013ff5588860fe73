"""``export``: a Graph with weights becomes a folder of C sources for a board."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.c import integrations, preprocessing, spike_record, templates
from exporters.c.constants import constants, known_answer
from exporters.c.cores import CORES
from exporters.c.placement import linker_script
from toolchain import __version__
from toolchain.cost.arena import kept
from toolchain.cost.event_lists import LayerEvents, convolutions
from toolchain.cost.kernel_choice import choices
from toolchain.cost.kernels import MAX_WEIGHT_ROWS
from toolchain.cost.layout import Layout, layout
from toolchain.cost.packing import weight_rows
from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.graph import reference
from toolchain.graph.checks import require_valid
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Lif, Node, OrPool, PixelConv
from toolchain.graph.streams import stream_limit
from toolchain.profiles.schema import Profile
from toolchain.schedules import Schedule

FOLDER = "c"
"""The sources' folder within the artifacts."""

RUNTIME = (
    "snn.h",
    "snn_asm.h",
    "snn_bits.h",
    "snn_pairs.h",
    "snn_schedule.h",
    "snn_spike.h",
    "snn_neurons.c",
    "snn_neurons_dsp.c",
    "snn_dense.h",
    "snn_dense.c",
    "snn_dense_dsp.c",
    "snn_pixel.c",
    "snn_pixel_steps.c",
    "snn_spike.c",
    "snn_spike_steps.c",
    "snn_rows.c",
    "snn_rows_dsp.c",
    "snn_rows_m3.c",
    "snn_rows_m0.c",
    "snn_or_pool.c",
    "snn_head.c",
    "snn_head_steps.c",
    "snn_steps.c",
    "snn_self_test.c",
    "spikenas_console.h",
    "spikenas_console.c",
    "snn_camera.h",
    "snn_camera.c",
    "snn_cycles.h",
    "snn_cycles.c",
)

EXAMPLE = "examples/console_main.c"
"""Firmware around the console, for a project of the user's own: it has two functions to be written."""

BARE_METAL = {"firmware.c", "startup.c", "link.ld"}
"""What an image needs around the network, and a network in somebody else's firmware does not."""

DEFAULT_PREFIX = "net"
"""How the names of a network's symbols and files begin."""

_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,30}")
_TAKEN = ("snn", "spikenas", "firmware", "startup")
_HEADERS = {
    *(
        "assert",
        "complex",
        "ctype",
        "errno",
        "fenv",
        "float",
        "inttypes",
        "iso646",
        "limits",
        "locale",
        "math",
    ),
    *(
        "setjmp",
        "signal",
        "stdalign",
        "stdarg",
        "stdatomic",
        "stdbool",
        "stddef",
        "stdint",
        "stdio",
        "stdlib",
    ),
    *("stdnoreturn", "string", "tgmath", "threads", "time", "uchar", "wchar", "wctype"),
}
"""Of C itself: in their place a compiler would find the network's own."""
_PREPROCESS = "_preprocess.c"

Pixels = NDArray[np.uint8]


def export(
    graph: Graph,
    profile: Profile,
    folder: Path,
    *,
    known_image: Pixels | None = None,
    prefix: str = DEFAULT_PREFIX,
    wanted: Sequence[str] = (),
    events: Mapping[str, LayerEvents] | None = None,
    schedule: Schedule = "layers",
) -> list[Path]:
    """Write the network's C sources into ``folder/c`` and return their paths.

    ``known_image`` (uint8 [C, H, W] or [T, C, H, W], preprocessed) is embedded with its scores as the
    self-test; without one, noise that depends on the network alone is taken. ``prefix`` starts the network's
    symbols and names its file pair, so that two networks can be linked into one image. Boards with a Cortex-M also get
    firmware around the network: main loop, start-up code, linker script. ``wanted`` are names of
    ``integrations`` beside those of the profile. ``events`` of a sample of images (``cost.event_lists.calibrated``)
    decide which kernel runs a layer, and are written down beside the sources (``spike_record``). By the ``schedule``
    "steps" the network also takes a stream, frame by frame.

    Raises ``InputError`` if the network is invalid or has no weights, the image is of another shape, or there is no
    such integration.
    """
    require_valid(graph, "the network", weights=True)
    _require_exportable(graph, prefix)
    image = known_image if known_image is not None else noise(graph)
    if image.dtype != np.uint8 or image.shape != graph.input.extents:
        raise InputError(
            f"the known image is {image.dtype}{list(image.shape)}, not uint8{list(graph.input.extents)}"
        )
    chosen = integrations.chosen((*profile.integrations, *wanted))
    plan = layout(graph, profile, schedule)
    sharing = {name for name, choice in choices(graph, profile.core, events).items() if choice.share}
    context = _context(graph, plan, image, prefix, sharing, schedule)
    sources = {name: _runtime(name) for name in RUNTIME}
    sources[f"{prefix}.h"] = templates.render("net.h.j2", context)
    sources[f"{prefix}.c"] = templates.render("net.c.j2", context)
    sources[prefix + _PREPROCESS] = templates.render("preprocess.c.j2", context)
    sources |= integrations.written(chosen, dict(sources), {**context, "stack_bytes": profile.stack_bytes})
    sources[EXAMPLE] = templates.render("console_main.c.j2", context)
    if profile.core in CORES:
        sources["firmware.c"] = templates.render("firmware.c.j2", context)
        copying = "#define SPIKENAS_COPIES\n" if plan.copies else ""
        sources["startup.c"] = copying + _runtime("startup.c")
        sources["link.ld"] = linker_script(plan, profile, prefix)
    sources[spike_record.FILE] = spike_record.text(events)
    for stale in BARE_METAL - sources.keys():
        (folder / FOLDER / stale).unlink(missing_ok=True)
    for name, text in sources.items():
        write_atomic(folder / FOLDER / name, text)
    return [folder / FOLDER / name for name in sources]


def prefix_of(folder: Path) -> str:
    """What the network in an exported ``folder`` is called; the default if that cannot be told."""
    found = [path.name.removesuffix(_PREPROCESS) for path in folder.glob(f"*{_PREPROCESS}")]
    return found[0] if len(found) == 1 and _PREFIX.fullmatch(found[0]) else DEFAULT_PREFIX


def kernel_of(graph: Graph, node: Node, schedule: Schedule = "layers") -> str:
    """The function that runs ``node``, which is not the input; by steps, of the head the one that tells the scores."""
    if isinstance(node, OrPool):
        return "snn_or_pool"
    form = "_step" if schedule == "steps" else ""
    if isinstance(node, Head):
        return ("snn_head" if node.bits == 8 else "snn_packed_head") + form
    assert isinstance(node, Lif)
    if isinstance(node.edges[0], PixelConv):
        return f"snn_pixel{form}" if form or graph.input.frames == 1 else "snn_frames"
    return (f"snn_spike_{node.bits}" if convolutions(node) else "snn_pass") + form


def noise(graph: Graph) -> Pixels:
    """An image of noise, uint8 [C, H, W] or [T, C, H, W], that depends on the network's hash alone."""
    stream = hashlib.shake_256(graph.sha256().encode()).digest(graph.input.size)
    return np.frombuffer(stream, np.uint8).reshape(graph.input.extents)


def _require_exportable(graph: Graph, prefix: str) -> None:
    if not _PREFIX.fullmatch(prefix) or prefix.startswith(_TAKEN) or prefix in _HEADERS:
        raise InputError(
            f"{prefix!r:.40} cannot start the network's symbols; use a lower-case letter and up to 30 letters, "
            f"digits or _ after it, and nothing that starts with {' or '.join(_TAKEN)} or is a header of C"
        )
    for node in graph.all(Lif):
        if (rows := weight_rows(graph, node)) > MAX_WEIGHT_ROWS:
            raise InputError(
                f"{node.name} has {rows} weight rows, and the C kernels tell {MAX_WEIGHT_ROWS} apart; "
                "use fewer edges or channels"
            )


def _context(
    graph: Graph, plan: Layout, image: Pixels, prefix: str, sharing: Collection[str], schedule: Schedule
) -> dict[str, object]:
    """What the templates read."""
    digest = graph.sha256()
    placed = {buffer.name: buffer for buffer in plan.buffers}
    scores = reference.scores(graph, image[np.newaxis])[0]
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "version": __version__,
        "sha256": digest,
        "labels": [templates.comment(label) for label in graph.labels],
        "input": graph.input,
        "classes": graph.head.classes,
        "time_steps": graph.time_steps,
        "task": graph.task,
        "COUNT": "CLASSES" if graph.task == "classification" else "OUTPUTS",
        "score_exponent": graph.head.exponent,
        "score_exponents": graph.score_exponents(),
        "units": [repr(2.0**-exponent) for exponent in graph.score_exponents()],
        "arena_bytes": plan.arena_bytes,
        "constants_bytes": plan.constants_bytes,
        "mailbox_bytes": plan.mailbox_bytes,
        # A stream's kernels work on one time step.
        "symbols": [
            *constants(graph if schedule == "layers" else replace(graph, time_steps=1), placed, sharing),
            *known_answer(image, scores),
        ],
        "info": {
            "version": f'"{__version__[:15]}"',
            "compiler": "SNN_COMPILER",
            "sha256": "{" + ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(digest)) + "}",
            "time_steps": graph.time_steps,
        },
        "calls": [_call(graph, node, prefix, schedule) for node in graph.nodes[1:]],
        "stream": _stream(graph, plan, prefix) if schedule == "steps" else None,
        **preprocessing.context(graph),
    }


def _stream(graph: Graph, plan: Layout, prefix: str) -> dict[str, object]:
    """What the templates read of a stream: how long it may last, where what it keeps lies, and its read-out."""
    (offset, size), read_out = kept(plan.buffers), kernel_of(graph, graph.head, "steps")
    return {
        "limit": stream_limit(graph),
        "offset_bytes": offset,
        "size_bytes": size,
        "read_out": f"{read_out}(&{prefix}_{graph.head.name}_node, {prefix}_arena, scores)",
    }


def _call(graph: Graph, node: Node, prefix: str, schedule: Schedule) -> str:
    """The call that runs ``node``: all its time steps, or one, in which the head only counts."""
    kernel, arguments = kernel_of(graph, node, schedule), [f"&{prefix}_{node.name}_node", f"{prefix}_arena"]
    if isinstance(node, Head) and schedule == "steps":
        kernel, arguments[0] = "snn_count_step", arguments[0] + (".head" if node.bits < 8 else "")
    elif isinstance(node, Head):
        arguments.append("scores")
    elif isinstance(node, Lif) and isinstance(node.edges[0], PixelConv):
        arguments.insert(1, "image" if schedule == "layers" else "frame")
    return f"{kernel}({', '.join(arguments)})"


def _runtime(name: str) -> str:
    return (files("exporters.c") / "runtime" / name).read_text(encoding="utf-8")
