"""Work that the tests hand to executors; workers import it, so it lives in a module of its own.

A Ray cluster takes ten seconds to start: one executor of each kind runs all of it, and a job names its function.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.errors import InputError

Document = dict[str, Any]


class OddError(Exception):
    """Cannot be built again from its arguments."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} at {where}")


def perform(context: Document, job: Document) -> Document:
    function = FUNCTIONS[job["function"]]
    return function(context, job)


def context() -> Document:
    rng = np.random.default_rng(0)
    arrays = {
        "large": rng.integers(0, 256, (6, 1024, 1024), dtype=np.uint8),
        "words": rng.integers(0, 2**63, (7, 5), dtype=np.uint64),
        "empty": np.zeros((0, 3), dtype=np.int16),
    }
    return {"arrays": arrays, "text": "Straße", "base": 100}


def add(context: Document, job: Document) -> Document:
    return {"sum": context["base"] + job["number"], "process": os.getpid()}


def checksum(context: Document, job: Document) -> Document:
    array = context["arrays"][job["name"]]
    return {
        "sum": int(array.astype(np.int64).sum()),
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "text": context["text"],
    }


def environment(context: Document, job: Document) -> Document:
    return {name: os.environ.get(name) for name in job["names"]}


def fail(context: Document, job: Document) -> Document:
    kind = job.get("kind")
    if kind == "input":
        raise InputError("profile x.toml, line 3: no such board; name another")
    if kind == "value":
        raise ValueError("too small", 3)
    if kind == "odd":
        raise OddError("something", "somewhere")
    if kind == "local":

        class LocalError(Exception):
            pass

        raise LocalError("of a class without a name to import it by")
    return {"kind": kind}


def die(context: Document, job: Document) -> Document:
    """Kill the own process as long as fewer than ``deaths`` attempts have left a mark."""
    folder = Path(job["folder"])
    marks = len(list(folder.glob(f"{job['number']}-*")))
    (folder / f"{job['number']}-{marks}").touch()
    if marks < job["deaths"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"number": job["number"]}


def nap(context: Document, job: Document) -> Document:
    """Mark the start, sleep, mark the end."""
    folder = Path(job["folder"])
    (folder / f"{job['number']}-started-{os.getpid()}").touch()
    time.sleep(job["seconds"])
    (folder / f"{job['number']}-ended").touch()
    return {"number": job["number"]}


def not_transferable(context: Document, job: Document) -> Document:
    return {"function": lambda: None}


def nothing(context: Document, job: Document) -> Any:
    return None


def ray_address(context: Document, job: Document) -> Document:
    """Of the cluster that runs this job."""
    import ray

    return {"address": ray.get_runtime_context().gcs_address, "raylet": os.getppid()}


FUNCTIONS = {
    function.__name__: function
    for function in (add, checksum, die, environment, fail, nap, not_transferable, nothing, ray_address)
}
