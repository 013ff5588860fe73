"""Firmware with the console of ``exporters/c/runtime``: on this machine under the sanitizers, and for QEMU's boards."""

from __future__ import annotations

from pathlib import Path

from exporters.c import compilers, export
from toolchain import profiles
from toolchain.graph.graph import Graph

HERE = Path(__file__).parent
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def host_console(graph: Graph, folder: Path) -> Path:
    """A program whose standard input and output are the console of ``graph``."""
    sources = export(graph, profiles.load("stm32f405"), folder)[0].parent
    program = folder / "console"
    files = [str(path) for pattern in ("snn_*.c", "net.c", "spikenas_*.c") for path in sources.glob(pattern)]
    command = ["gcc", "-std=c99", "-O1", *SANITIZERS, f"-I{sources}", *files, str(HERE / "host.c")]
    outcome = compilers.run([*command, "-o", str(program)], folder)
    assert outcome.returncode == 0, outcome.stderr
    return program
