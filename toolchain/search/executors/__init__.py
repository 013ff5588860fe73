"""Where the jobs of a search run: in this process, in local processes, or on a Ray cluster; results are the same.

Nothing here knows what a job is, and nothing imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.search.executors.base import ATTEMPTS, C, Executor, J, R, Work, WorkerDiedError
from toolchain.search.executors.in_process import InProcess
from toolchain.search.executors.processes import Processes

__all__ = ["ATTEMPTS", "Executor", "Work", "WorkerDiedError", "Workers", "open_executor"]


@dataclass(frozen=True)
class Workers:
    """What the user asked for.

    ``count`` processes on this machine, 1 meaning this process itself; or the Ray cluster at the address ``ray``
    ("auto", "local", "ray://host:port", "host:port"), whose processors then decide and not ``count``.
    """

    count: int = 1
    ray: str | None = None


def open_executor(workers: Workers, work: Work[C, J, R], context: C) -> Executor[J, R]:
    """The executor that runs ``work(context, job)``; the context goes to each worker once.

    Raises ``ToolMissingError`` if Ray is asked for and not installed, ``InputError`` if its cluster cannot be reached.
    """
    if workers.ray is not None:
        from toolchain.search.executors.ray_cluster import RayCluster

        return RayCluster(workers.ray, work, context)
    if workers.count > 1:
        return Processes(workers.count, work, context)
    return InProcess(work, context)
