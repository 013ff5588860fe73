"""Bytes of stack that the firmware reserves: what its code can need at most, measured for each core and compiler.

``verification.stack_bound`` reads the bound from an image's code. ``python -m benchmarks.stack_sizes`` takes it of
images that have every kernel, the largest a core and compiler, and writes ``stack_sizes.toml`` beside this file; the
reserve holds for either compiler, since sources are exported before one is chosen. ``verify`` proves it for each image.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from toolchain.cost.code_size import Compiler, table_name
from toolchain.files import read_toml
from toolchain.profiles.schema import Profile
from toolchain.schedules import Schedule

TABLE = Path(__file__).with_name("stack_sizes.toml")


def stack_bytes(profile: Profile, schedule: Schedule = "layers") -> int:
    """What our firmware, which runs by ``schedule``, reserves for its stack on the board of ``profile``.

    For a core that no compiler here builds for it is the profile's ``stack_bytes``.
    """
    tables = [_table()[table_name(compiler, schedule)] for compiler in get_args(Compiler)]
    measured = [table.get(profile.core) for table in tables]
    known = [size for size in measured if size is not None]
    return max(known) + profile.interrupt_stack_bytes if known else profile.stack_bytes


def measured_version(compiler: Compiler) -> str:
    """The compiler's version that the table was measured with."""
    return str(_table()[compiler]["version"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return read_toml(TABLE)
