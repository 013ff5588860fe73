"""The exported C sources on this machine's processor, for boards whose core no emulator here has."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.profiles.schema import Profile
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule
from toolchain.verification.runtimes.base import Evidence


class HostRuntime:
    """The C sources in ``sources`` of ``graph`` for ``profile``, compiled for this machine into ``scratch``.

    ``schedule`` is the one that they were exported with.

    They run natively, so nothing is compiled but what this toolchain writes itself: sources that differ from a
    fresh export are refused. Raises ``InputError`` then, or if they do not compile, and ``ToolMissingError``
    if there is no compiler.
    """

    evidence: Evidence = "measured"
    name = "C, compiled for this machine"

    def __init__(
        self,
        sources: Path,
        graph: Graph,
        profile: Profile,
        scratch: Path,
        schedule: Schedule = DEFAULT_SCHEDULE,
    ) -> None:
        from exporters.c import export, spike_record
        from exporters.c.build import build_host
        from exporters.c.export import FOLDER, prefix_of

        prefix = prefix_of(sources)
        events = spike_record.read(sources, graph)
        fresh = export(graph, profile, scratch, prefix=prefix, events=events, schedule=schedule)
        for path in fresh:
            exported = sources / path.relative_to(scratch / FOLDER)
            if not exported.is_file() or exported.read_bytes() != path.read_bytes():
                raise InputError(
                    f"{exported} is not what this version exports for this network; export it again"
                )
        self._classes = graph.head.classes
        self._infer = ctypes.CDLL(str(build_host(scratch / FOLDER)))[f"{prefix}_infer"]
        self._infer.restype = None

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of preprocessed pixels uint8 [n, C, H, W]."""
        scores = np.zeros((len(images), self._classes), np.int32)
        for image, row in zip(images, scores, strict=True):
            pixels = np.ascontiguousarray(np.moveaxis(image, -3, -1))
            self._infer(pixels.ctypes.data_as(ctypes.c_void_p), row.ctypes.data_as(ctypes.c_void_p))
        return scores
