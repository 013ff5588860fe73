"""What became of other processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until ``condition()`` holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether it runs; what is dead and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(process: int) -> list[int]:
    """Processes that ``process`` started."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def started(folder: Path) -> list[int]:
    """Processes that began a ``nap`` with this folder."""
    return [int(mark.name.rpartition("-")[2]) for mark in folder.glob("*-started-*")]
