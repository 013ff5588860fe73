"""Work that the tests hand to executors; workers import it, so it lives in a module of its own."""

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

        raise LocalError("of a class that cannot be imported")
    return {"kind": kind}


def die(context: Document, job: Document) -> Document:
    """Kill the own process as long as fewer than ``deaths`` attempts have left a mark."""
    folder = Path(job["folder"])
    marks = len(list(folder.glob(f"{job['number']}-*")))
    (folder / f"{job['number']}-{marks}").touch()
    if marks < job["deaths"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"number": job["number"]}


def leave(context: Document, job: Document) -> Document:
    os._exit(7)


def nap(context: Document, job: Document) -> Document:
    """Mark the start, sleep, mark the end."""
    folder = Path(job["folder"])
    (folder / f"{job['number']}-started-{os.getpid()}").touch()
    time.sleep(job["seconds"])
    (folder / f"{job['number']}-ended").touch()
    return {"number": job["number"]}


def not_transferable(context: Document, job: Document) -> Document:
    return {"function": lambda: None}
