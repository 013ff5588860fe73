"""What a worker sends back for a job: its result, or an exception with the traceback as text."""

from __future__ import annotations

import copy
import traceback
from dataclasses import dataclass
from typing import NoReturn

from toolchain.search.executors.base import C, J, R, Work


class WorkerTraceback(Exception):
    """Cause of an exception that a worker raised; its text is the traceback in the worker."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True)
class Failure:
    """An exception on its way to the caller."""

    error: Exception
    worker_traceback: str

    def reraise(self) -> NoReturn:
        """Raise it as the worker did."""
        raise self.error from WorkerTraceback(self.worker_traceback)


def attempt(work: Work[C, J, R], context: C, job: J) -> R | Failure:
    """Run one job in a worker."""
    try:
        return work(context, job)
    except Exception as error:
        return failure(error)


def failure(error: Exception) -> Failure:
    """``error``, able to travel: one that cannot be built again from its arguments becomes a ``RuntimeError``."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        # Copying takes an exception apart and rebuilds it just as pickling does.
        copy.copy(error)
    except Exception:
        error = in_words(error)
    return Failure(error, text)


def in_words(error: Exception) -> RuntimeError:
    """Stands in for an exception that cannot travel."""
    return RuntimeError(f"{type(error).__name__}: {error}")
