"""Exported networks compiled for this machine and called through ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporters.c import export
from exporters.c.build import build_host
from toolchain import profiles
from toolchain.graph.graph import Graph
from toolchain.schedules import Schedule


class CNetwork:
    """The functions of one network in a shared library."""

    def __init__(self, library: ctypes.CDLL, prefix: str, classes: int) -> None:
        self._infer = getattr(library, f"{prefix}_infer")
        self._self_test = getattr(library, f"{prefix}_self_test")
        self._infer.restype = None
        self._classes = classes
        self._library, self._prefix = library, prefix

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores int32 [n, classes] of images uint8 [n, C, H, W]."""
        found = np.zeros((len(images), self._classes), np.int32)
        for image, row in zip(images, found, strict=True):
            pixels = np.ascontiguousarray(np.moveaxis(image, -3, -1))
            self._infer(pixels.ctypes.data_as(ctypes.c_void_p), row.ctypes.data_as(ctypes.c_void_p))
        return found

    def reset(self) -> None:
        """Begin a stream."""
        reset = getattr(self._library, f"{self._prefix}_reset")
        reset.restype = None
        reset()

    def step(self, frame: NDArray[np.uint8]) -> bool:
        """Run one time step of a stream on a frame uint8 [C, H, W]: whether there may be another."""
        pixels = np.ascontiguousarray(np.moveaxis(frame, -3, -1))
        step = getattr(self._library, f"{self._prefix}_step")
        return bool(step(pixels.ctypes.data_as(ctypes.c_void_p)) == 1)

    def scores_so_far(self) -> NDArray[np.int32]:
        """Scores int32 [classes] of the time steps since the stream began."""
        found = np.zeros(self._classes, np.int32)
        read_out = getattr(self._library, f"{self._prefix}_scores")
        read_out.restype = None
        read_out(found.ctypes.data_as(ctypes.c_void_p))
        return found

    def self_test(self) -> bool:
        """Whether the known image gives the known scores."""
        scores = np.zeros(self._classes, np.int32)
        return bool(self._self_test(scores.ctypes.data_as(ctypes.c_void_p)) == 1)


def compiled(
    graphs: Sequence[Graph], folder: Path, schedule: Schedule = "layers", flags: Sequence[str] = ()
) -> list[CNetwork]:
    """Export all ``graphs`` into ``folder`` and compile them into one library, since starting a compiler takes long."""
    board = profiles.load("stm32f405")
    sources = []
    for index, graph in enumerate(graphs):
        export(graph, board, folder / str(index), prefix=f"net{index}", schedule=schedule)
        sources.append(folder / str(index) / "c")
    library = ctypes.CDLL(str(build_host(sources, folder / "libnets.so", flags)))
    return [CNetwork(library, f"net{index}", graph.head.classes) for index, graph in enumerate(graphs)]
