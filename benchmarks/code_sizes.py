"""Measure how large the firmware's code is, for each core and installed compiler.

    python -m benchmarks.code_sizes            write toolchain/cost/code_sizes.toml anew
    python -m benchmarks.code_sizes --check    compare the table with what is measured; exit 1 if they differ
    python -m benchmarks.code_sizes --quick    one image of one core: predicted against linked; writes nothing

Networks that differ in one thing are exported, linked and weighed; the differences are the table's terms.
A core that no compiler here links for (Xtensa LX7) gets an estimate from the objects of a relative, the
LX106, if ``xtensa-lx106-elf-gcc`` is installed (Debian: gcc-xtensa-lx106). What is not installed keeps its
old numbers.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray

from exporters.c import compilers, export
from exporters.c.build import build
from exporters.c.cores import CODE, CORES
from toolchain import profiles
from toolchain.cost.code_size import FUNCTION_BYTES, TABLE, CodeSize, Compiler, code_bytes, table_name
from toolchain.cost.packing import aligned, constants
from toolchain.errors import SpikenasError
from toolchain.files import read_toml, write_atomic
from toolchain.graph.events import EventFrames
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Edge, Head, Input, Lif, Node, OrPool, PixelConv, Shape, Skip, SpikeConv
from toolchain.graph.preprocessing import Preprocessing
from toolchain.profiles.schema import Profile
from toolchain.schedules import Schedule

AnyStored = TypeVar("AnyStored", Lif, Head)

BOARD = "stm32f405"
"""Whose memories the images are linked into; its core is the one of ``--quick``."""

TIME_STEPS = 4

CALLS = 16
"""Nodes over which the size of one call is averaged."""

ESTIMATED_CORE = "xtensa-lx7"
ESTIMATED_CALL_BYTES = 16
BESIDE = ("snn_camera", "snn_cycles", "snn_steps", "snn_pixel_steps", "snn_spike_steps", "snn_head_steps")
"""What an application may call around the network, or a stream; our images by layers do not."""

OPTIONAL = (
    *(f"snn_{part}_{bits}" for part in ("spike", "add_rows") for bits in (8, 4, 2)),
    *("snn_codes_4", "snn_codes_2", "snn_pass", "snn_packed_head"),
)
"""Functions that an image has only if a node needs them."""

HEADER = """\
# Bytes of the firmware's code, measured by `python -m benchmarks.code_sizes`; toolchain/cost/code_size.py says
# what the terms are. `estimate`: objects for an LX106 (gcc-xtensa-lx106 of Debian 12), start-up code not counted.
"""


def network(
    spiking: int = 0, pooling: int = 0, frames: int = 1, bits: Sequence[int] = (), head_bits: int = 8
) -> Graph:
    """A pixel layer, some convolutions of spikes, some OR poolings and a head; all weights are zero.

    ``frames``: of pixels, 1 or the four time steps. Behind the ``spiking`` convolutions with weights of 8 bits comes
    one for each of ``bits``, for 0 a skip.
    """
    shape = Shape(16, 8, 8)
    preprocessing = Preprocessing(8, 8, "grey")
    if frames > 1:
        preprocessing = Preprocessing(8, 8, "polarity", events=EventFrames(frames, 1000, 1, 8, 8))
    pixels = Shape(preprocessing.planes or 1, shape.height, shape.width)
    nodes: list[Node] = [Input("pixels", pixels, frames)]
    weight = _zeros(16, pixels.channels, 3, 3)
    nodes.append(_lif("stem", shape, PixelConv("pixels", 3, 1, weight, np.zeros(16, np.uint8))))
    for index, stored in enumerate((*[8] * spiking, *bits)):
        source = nodes[-1].name
        edge = SpikeConv(source, 3, 1, _zeros(16, 16, 3, 3)) if stored else Skip(source)
        nodes.append(_in_bits(_lif(f"node{index}", shape, edge), stored or 8))
    for index in range(pooling):
        shape = Shape(16, shape.height // 2, shape.width // 2)
        nodes.append(OrPool(f"pool{index}", shape, nodes[-1].name))
    head = Head("head", nodes[-1].name, 4, "count", _zeros(4, 16), np.zeros(4, np.int32), 4)
    nodes.append(_in_bits(head, head_bits))
    return Graph(tuple(nodes), TIME_STEPS, preprocessing, tuple("abcd"))


def measure(profile: Profile, compiler: Compiler, schedule: Schedule = "layers") -> CodeSize:
    """Link networks for ``profile``, which run by ``schedule``, and take their code apart."""

    def linked(**parts: Any) -> int:
        return linked_code_bytes(network(**parts), profile, compiler, schedule)

    base, alone = linked(), {bits: linked(bits=[bits]) for bits in (8, 4, 2, 0)}
    node = (linked(spiking=1 + CALLS) - alone[8]) / CALLS
    # What kernels share is there already if another width is.
    kernels = {
        bits: _filled(linked(bits=[other, bits]) - alone[other] - node)
        for bits, other in ((8, 4), (4, 2), (2, 4), (0, 8))
    }
    spike = _filled(alone[0] - base - node - kernels[0])
    return CodeSize(
        base,
        spike,
        _filled(alone[8] - base - node - spike - kernels[8]),
        *kernels.values(),
        _filled(linked(pooling=1) - base - node),
        _filled(linked(head_bits=4) - base),
        node,
        _filled(linked(frames=TIME_STEPS) - base),
    )


def _filled(kernel_bytes: float) -> int:
    return ceil(kernel_bytes / FUNCTION_BYTES) * FUNCTION_BYTES


def linked_code_bytes(
    graph: Graph, profile: Profile, compiler: Compiler, schedule: Schedule = "layers"
) -> int:
    """Bytes of the linked image of ``graph`` less those of its constants."""
    with tempfile.TemporaryDirectory() as folder:
        export(graph, profile, Path(folder), schedule=schedule)
        image = build(Path(folder) / "c", profile, compiler).binary
        return image.stat().st_size - sum(aligned(constant.size_bytes) for constant in constants(graph))


def estimate(compiler: str) -> CodeSize:
    """Terms for ``ESTIMATED_CORE`` from the kernels' objects that a relative's ``compiler`` makes."""
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        export(network(), profiles.load("esp32s3"), Path(folder))
        for source in sorted((Path(folder) / "c").glob("snn_*.c")):
            if source.stem in BESIDE:
                continue
            target = source.with_suffix(".o")
            subprocess.run([compiler, *CODE, "-c", str(source), "-o", str(target)], check=True, timeout=60)
            sizes[source.stem] = _code_bytes(target)
            for function in OPTIONAL:
                if size := _code_bytes(target, f".{function}"):
                    sizes |= {source.stem: sizes[source.stem] - size, function: size}
    terms = [
        sizes.pop("snn_spike"),
        sizes.pop("snn_rows"),
        *(sizes.pop(f"snn_spike_{bits}") + sizes.pop(f"snn_add_rows_{bits}") for bits in (8, 4, 2)),
        sizes.pop("snn_pass"),
        sizes.pop("snn_or_pool"),
        sizes.pop("snn_packed_head"),
    ]
    for index, bits in ((3, 4), (4, 2)):
        terms[index] += sizes.pop(f"snn_codes_{bits}")
    # Both kernels of the pixels are in one object, of which an image has one.
    pixel = sizes["snn_pixel"] // 2
    base = sum(sizes.values()) - pixel + 3 * ESTIMATED_CALL_BYTES
    return CodeSize(base, *terms, ESTIMATED_CALL_BYTES, 0)


def main(arguments: list[str]) -> int:
    """Write the table, or with ``--check`` compare it with what is measured here, or take the quick look."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.code_sizes", description="Measure code sizes."
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--check", action="store_true", help="compare only; exit 1 if the table is out of date"
    )
    extent.add_argument(
        "--quick", action="store_true", help="link one image with one compiler and compare; write nothing"
    )
    parser.add_argument("--json", action="store_true", help="print what was measured as one JSON document")
    given = parser.parse_args(arguments)
    if given.quick:
        result = quick()
        print(json.dumps(result, indent=2) if given.json else _sentence(result))
        return 0
    table = read_toml(TABLE)
    measured = _measured(table)
    current = measured == table
    if given.json:
        print(json.dumps({"up_to_date": current, "table": measured}, indent=2))
    if not given.check:
        write_atomic(TABLE, HEADER + _toml(measured))
        return 0
    if not given.json:
        print("up to date" if current else f"{TABLE.name} is out of date; run this without --check")
    return int(not current)


def quick() -> dict[str, Any]:
    """Predicted and linked bytes of one image's code, on one core, with the first compiler that is installed.

    Raises ``ToolMissingError`` if there is none.
    """
    board, graph = profiles.load(BOARD), network(spiking=3, pooling=1)
    compiler, _ = compilers.arm_command(None)
    return {
        "core": board.core,
        "compiler": compiler,
        "version": compilers.version(compiler),
        "predicted_bytes": code_bytes(graph, board.core, compiler),
        "measured_bytes": linked_code_bytes(graph, board, compiler),
    }


def _sentence(result: dict[str, Any]) -> str:
    return (
        f"code for {result['core']} with {result['compiler']} {result['version']}: "
        f"predicted {result['predicted_bytes']:,} bytes, measured {result['measured_bytes']:,} bytes"
    )


def _measured(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``table`` with the terms of every compiler that is installed measured anew."""
    measured: dict[str, dict[str, Any]] = dict(table)
    board = profiles.load(BOARD)
    for compiler in compilers.available():
        version = {"version": compilers.version(compiler)}
        for schedule in get_args(Schedule):
            found = measured[table_name(compiler, schedule)] = dict(version)
            for core in CORES:
                print(f"measuring {core} with {compiler}, by {schedule}", file=sys.stderr)
                size = measure(board.model_copy(update={"core": core}), compiler, schedule)
                found[core] = size._asdict()
    relative = shutil.which("xtensa-lx106-elf-gcc")
    if relative is not None:
        measured["estimate"] = {ESTIMATED_CORE: estimate(relative)._asdict()}
    return measured


def _in_bits(node: AnyStored, bits: int) -> AnyStored:
    """``node`` with its weights, all zero, stored in ``bits`` bits."""
    if bits == 8:
        return node
    outputs = node.classes if isinstance(node, Head) else node.shape.channels
    return replace(node, bits=bits, code_shift=np.zeros(outputs, np.uint8))


def _lif(name: str, shape: Shape, edge: Edge) -> Lif:
    bias, threshold = np.zeros(16, np.int16), np.ones(16, np.int16)
    return Lif(name, shape, (edge,), bias=bias, threshold=threshold, exponent=np.full(16, 4, np.uint8))


def _zeros(*shape: int) -> NDArray[np.int8]:
    return np.zeros(shape, np.int8)


def _code_bytes(path: Path, function: str = "") -> int:
    """Bytes of an object's code; with ``function``, ``.name``, of that function's alone."""
    with path.open("rb") as stream:
        sections = list(ELFFile(stream).iter_sections("SHT_PROGBITS"))
    return sum(
        aligned(section["sh_size"])
        for section in sections
        if section.name.startswith((".text", ".literal", ".rodata")) and section.name.endswith(function)
    )


def _toml(table: dict[str, dict[str, Any]]) -> str:
    lines = []
    for compiler, cores in table.items():
        lines.append(f"\n[{compiler}]")
        lines += [f'version = "{cores["version"]}"'] if "version" in cores else []
        for core, terms in cores.items():
            if core != "version":
                fields = ", ".join(f"{name} = {value}" for name, value in terms.items())
                lines.append(f"{core} = {{ {fields} }}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SpikenasError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
