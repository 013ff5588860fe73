"""One cell at a time from the formulas, in float64 and plain loops: what the shared evaluation must equal."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from toolchain.architecture.cells import Cell, Operation
from toolchain.graph.nodes import Leak
from toolchain.search.scoring.weights import Drawn

Maps = NDArray[np.int64]


def currents_of_convolution(spikes: Maps, weights: torch.Tensor, fan_in: int, unit: float) -> Maps:
    """[T, N, C, H, W] -> batch-normalized convolution of it in units of ``unit`` a threshold, rounded and clamped."""
    flat = torch.from_numpy(spikes).double().flatten(0, 1)
    real = weights.double() / 127 / math.sqrt(fan_in)
    summed = functional.conv2d(flat, real, padding=weights.shape[-1] // 2).numpy()
    mean = summed.mean((0, 2, 3), keepdims=True)
    variance = ((summed - mean) ** 2).mean((0, 2, 3), keepdims=True)
    normal = (summed - mean) / np.sqrt(variance + 1e-5)
    return np.clip(np.rint(normal * unit), -4095, 4095).astype(np.int64).reshape(spikes.shape)


def window_sums(maps: Maps) -> Maps:
    """Sums over 3x3 windows, zero padded."""
    padded = np.pad(maps, ((0, 0), (0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = maps.shape[3:]
    return sum(padded[..., y : y + height, x : x + width] for y in range(3) for x in range(3))  # type: ignore[return-value]


def fire(current: Maps, leak: Leak, reset: str) -> Maps:
    """The recurrence of ``toolchain.graph.nodes.Lif`` with threshold 512 and potentials clamped to 16,384."""
    potential = np.zeros_like(current[0])
    spikes = np.zeros_like(current)
    for step, drive in enumerate(current):
        potential = np.clip(leak.apply(potential) + drive, -16384, 16384)
        spikes[step] = potential >= 512
        left = potential - 512 if reset == "subtract" else 0 * potential
        potential = np.where(spikes[step] == 1, left, potential)
    return spikes


def node_lif_maps(cell: Cell, source: Maps, weights: Drawn, leak: Leak, reset: str) -> list[Maps]:
    """Spikes of the cell's nodes."""
    spikes = {0: source}
    for node in cell.nodes:
        total = np.zeros_like(source)
        for origin, operation in cell.into(node):
            read = spikes[origin]
            if operation == Operation.SKIP:
                total += 512 * read
            elif operation == Operation.AVGPOOL3X3:
                total += 64 * window_sums(read)
            else:
                drawn = weights[(origin, node), operation].values
                total += currents_of_convolution(read, drawn, drawn[0].numel(), 512)
        spikes[node] = fire(total, leak, reset)
    return [spikes[node] for node in cell.nodes]


def edge_lif_maps(
    cell: Cell, source: NDArray[np.float32], weights: Drawn, leak: Leak, reset: str
) -> list[Maps]:
    """Spikes in front of every convolution and behind the output."""
    unit = 512 * (1 - leak.kept)
    values = {0: np.clip(np.rint(source * unit), -4095, 4095).astype(np.int64)}
    maps = []
    for node in cell.nodes:
        total = np.zeros_like(values[0])
        for origin, operation in cell.into(node):
            read = values[origin]
            if operation == Operation.SKIP:
                total += read
            elif operation == Operation.AVGPOOL3X3:
                total += np.rint(window_sums(read) / 9).astype(np.int64)
            else:
                spikes = fire(read, leak, reset)
                maps.append(spikes)
                drawn = weights[(origin, node), operation].values
                total += currents_of_convolution(spikes, drawn, drawn[0].numel(), unit)
        values[node] = total
    return [*maps, fire(values[3], leak, reset)]


def scores(maps: list[Maps], chosen: NDArray[np.int64] | None = None) -> tuple[float, float, float]:
    """Hamming, January 2022, July 2022, in loops over pairs of images."""
    images = maps[0].shape[1]
    kernels = np.zeros((3, images, images))
    layers = 0
    for spikes in maps:
        for step in spikes:
            layers += 1
            # Neurons are numbered by row, column, channel.
            fired = step.transpose(0, 2, 3, 1).reshape(images, -1)
            fired = fired if chosen is None else fired[:, chosen]
            n = fired.shape[1]
            for i in range(images):
                for j in range(images):
                    hamming = int((fired[i] != fired[j]).sum())
                    r_i, r_j = fired[i].sum() / n, fired[j].sum() / n
                    p = r_i * (1 - r_j) + (1 - r_i) * r_j
                    january = 0.5 * hamming / p if hamming else 0.0
                    kernels[:, i, j] += n - hamming, n - january, n - 0.5 * hamming / (n * p + 1e-3)
    first, second, third = (np.linalg.slogdet(kernel / layers)[1] for kernel in kernels)
    return float(first), float(second), float(third)
