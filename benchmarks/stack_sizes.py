"""Measure how deep the firmware's stack can grow, for each core and installed compiler.

    python -m benchmarks.stack_sizes            write toolchain/cost/stack_sizes.toml anew
    python -m benchmarks.stack_sizes --check    compare the table with what is measured; exit 1 if they differ
    python -m benchmarks.stack_sizes --quick    one core and compiler, measured against the table; writes nothing

The bound is read from the code of linked images that have every kernel. What is not installed keeps its old numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from benchmarks.code_sizes import BOARD, CALLS, TIME_STEPS, network
from exporters.c import compilers, export
from exporters.c.build import build
from exporters.c.cores import CORES
from toolchain import profiles
from toolchain.cost.code_size import Compiler, table_name
from toolchain.cost.stack_size import TABLE
from toolchain.errors import SpikenasError
from toolchain.files import read_toml, write_atomic
from toolchain.profiles.schema import Profile
from toolchain.schedules import Schedule
from toolchain.verification.elf import read_elf
from toolchain.verification.stack_bound import stack_bound

HEADER = (
    "# Bytes of the firmware's stack, measured by `python -m benchmarks.stack_sizes`; see stack_size.py.\n"
)


def measure(profile: Profile, compiler: Compiler, schedule: Schedule = "layers") -> int:
    """The largest bound of images with every kernel: of one image or of frames, and with many calls."""
    graphs = (
        network(1, 1, bits=[8, 4, 2, 0], head_bits=4),
        network(CALLS, 1, bits=[8, 4, 2, 0]),
        network(1, 1, frames=TIME_STEPS, bits=[8, 4, 2, 0]),
    )
    bounds = []
    for graph in graphs:
        with tempfile.TemporaryDirectory() as folder:
            export(graph, profile, Path(folder), schedule=schedule)
            bounds.append(stack_bound(read_elf(build(Path(folder) / "c", profile, compiler).elf)).bytes)
    return max(bounds)


def main(arguments: Sequence[str]) -> int:
    """Write the table, or with ``--check`` compare it with what is measured here, or take the quick look."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stack_sizes", description="Measure the firmware's stack."
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--check", action="store_true", help="compare only; exit 1 if the table is out of date"
    )
    extent.add_argument("--quick", action="store_true", help="measure one core; write nothing")
    parser.add_argument("--json", action="store_true", help="print what was measured as one JSON document")
    given = parser.parse_args(arguments)
    table: dict[str, dict[str, Any]] = read_toml(TABLE)
    board = profiles.load(BOARD)
    if given.quick:
        compiler, _ = compilers.arm_command(None)
        measured, told = measure(board, compiler), table[compiler][str(board.core)]
        result = {"core": board.core, "compiler": compiler, "measured_bytes": measured, "table_bytes": told}
        print(
            json.dumps(result, indent=2)
            if given.json
            else f"stack for {board.core} with {compiler}: {measured}"
        )
        return 0
    found: dict[str, dict[str, Any]] = dict(table)
    for compiler in compilers.available():
        version = {"version": compilers.version(compiler)}
        for schedule in get_args(Schedule):
            bounds = found[table_name(compiler, schedule)] = dict(version)
            for core in CORES:
                print(f"measuring {core} with {compiler}, by {schedule}", file=sys.stderr)
                bounds[core] = measure(board.model_copy(update={"core": core}), compiler, schedule)
    current = found == table
    if given.json:
        print(json.dumps({"up_to_date": current, "table": found}, indent=2))
    elif given.check:
        print("up to date" if current else f"{TABLE.name} is out of date; run this without --check")
    if not given.check:
        write_atomic(TABLE, HEADER + _toml(found))
        return 0
    return int(not current)


def _toml(table: dict[str, dict[str, Any]]) -> str:
    lines = []
    for compiler, cores in table.items():
        lines.append(f"\n[{compiler}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in cores.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SpikenasError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
