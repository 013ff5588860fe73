"""What the processes of ``benchmarks/search.py`` do: each side's share of its search, timed where it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolchain import datasets
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import Neurons, SnasnetCell, SnasnetNetwork
from toolchain.search.scoring.placement import PUBLISHED_LEAK
from toolchain.search.scoring.score import score_cells
from toolchain.search.snasnet.jobs import BATCH, REPEATS
from toolchain.search.snasnet.kernels import Kernels
from toolchain.search.snasnet.score import score

SKIP, CLASSES, SEED = "001000", 100, 0


@dataclass(frozen=True)
class Extent:
    """What is measured: sizes of the network and the images, and how much of each side is timed."""

    channels: int = 128
    side: int = 32
    images: int = 1024
    batch: int = BATCH
    our_batch: int = 32
    repeats: int = REPEATS
    candidates: int = 8
    positions: int = 2
    fresh: int = 12
    seeds: int = 2
    data: str | None = None

    def architecture(self, first: str, second: str) -> SnasnetArchitecture:
        """The published network with these cells."""
        cells = Cell.parse(first), Cell.parse(second)
        return replace(SnasnetArchitecture.cifar100(cells), channels=self.channels)


Took = dict[str, Any]


def prepare(extent: Extent) -> str:
    """Load libraries and compiled loops; says which images there are."""
    source = torch.rand(2, 3, 2, 4, 4)
    score_cells(source, leak=PUBLISHED_LEAK, reset="zero", seed=0, placement="edge")
    torch.linalg.slogdet(torch.eye(4, dtype=torch.float64))
    images = _images(extent)
    time.sleep(1)  # until the other processes have a task of their own
    kind = Path(extent.data).name if extent.data else "smoothed noise"
    return f"{len(images):,} of {extent.side}x{extent.side}x3, {kind}"


def pictures(extent: Extent) -> NDArray[np.uint8]:
    """Images uint8 [n, 3, side, side] from a data set, or noise that is smooth over a quarter of a side."""
    if extent.data:
        found = datasets.load(Path(extent.data), size=extent.side, channels="rgb", limit=2 * extent.images)
        return np.ascontiguousarray(found.train.images[: extent.images])
    coarse = np.random.default_rng(SEED).random((extent.images, 3, extent.side // 4, extent.side // 4))
    smooth = coarse.repeat(4, 2).repeat(4, 3)
    for axis in (2, 3):
        smooth = np.mean([np.roll(smooth, shift, axis) for shift in (-1, 0, 1, 2)], axis=0)
    return (smooth * 255.999).astype(np.uint8)


def timed(threads: int, work: Callable[..., Any], *arguments: Any) -> Took:
    """What ``work`` gives with so many threads, between which times, and the processor's seconds it takes."""
    torch.set_num_threads(threads)
    cpu, start = time.process_time(), time.time()
    value = work(*arguments)
    return {"value": value, "start": start, "end": time.time(), "cpu": time.process_time() - cpu}


def theirs(extent: Extent, cell: str, seed: int) -> float:
    """Score one candidate as published."""
    architecture, images = extent.architecture(cell, cell), _images(extent)
    found = score(architecture, images, CLASSES, seed=seed, batch=extent.batch, repeats=extent.repeats)
    return found.sahd_2022_07


def ours(extent: Extent, fixed: list[str], seed: int, cells: list[str]) -> list[float]:
    """Score ``cells`` at the position behind the cells that are ``fixed``."""
    found = _score(_source(extent, fixed, seed), cells, seed)
    return [float(value) for value in found]


def fresh(extent: Extent, cells: list[str], shared_code: bool) -> Took:
    """Score each of ``cells`` at the first position with weights of its own; seconds of the scoring alone."""
    source = _source(extent, [], SEED)
    maps = [step.contiguous(memory_format=torch.channels_last) for step in source]
    _score(source[:, :4, :8, :8, :8], cells, SEED)  # loads what is compiled
    took = []
    for index, cell in enumerate(cells):
        start = time.process_time()
        if shared_code:
            _score(source, [cell], index)
        else:
            _score_fresh(maps, cell, index)
        took.append(time.process_time() - start)
    return {"mean": fmean(took), "neurons": source[0, 0].numel()}


@lru_cache(maxsize=1)
def _images(extent: Extent) -> NDArray[np.uint8]:
    return pictures(extent)


def _source(extent: Extent, fixed: list[str], seed: int) -> Tensor:
    """The maps [T, N, C, H, W] that the position behind the cells ``fixed`` reads."""
    architecture = extent.architecture(fixed[0] if fixed else SKIP, SKIP)
    network = SnasnetNetwork(architecture, Shape(3, extent.side, extent.side), CLASSES, seed=seed).train()
    images = _images(extent)
    chosen = np.sort(np.random.default_rng(seed).choice(len(images), extent.our_batch, replace=False))
    with torch.no_grad():
        maps = network.source(torch.from_numpy(images[chosen]), len(fixed))
    return torch.stack(maps).expand(architecture.time_steps, -1, -1, -1, -1)


def _score(source: Tensor, cells: list[str], seed: int) -> NDArray[np.float64]:
    parsed = [Cell.parse(cell) for cell in cells]
    found = score_cells(source, leak=PUBLISHED_LEAK, reset="zero", seed=seed, placement="edge", cells=parsed)
    return found.sahd_2022_07


def _score_fresh(maps: list[Tensor], text: str, seed: int) -> float:
    """Score a cell in torch, each layer's spikes added to the kernels as it fires."""
    kernels, output = Kernels(len(maps[0])), Neurons(len(maps))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        cell = SnasnetCell(Cell.parse(text), maps[0].shape[1], len(maps)).train()
        cell.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for neurons in cell.neurons.values():
            neurons.register_forward_hook(lambda layer, _, spikes: kernels.add(spikes, layer.layers))
        kernels.add(output(cell(maps)))
    return kernels.scores().sahd_2022_07
