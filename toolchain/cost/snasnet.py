"""What a float network of the ``snasnet`` space takes on a Linux board, from closed forms alone.

Parameters are those of the published network, to the unit. The file is float32 ONNX with norms folded and a class's
voters averaged (``exporters.onnx.snasnet``): its size is that of its values and an overhead that was fitted to 60
files, all of which it reproduces within 6 kB. Memory and latency are estimates as in ``toolchain.cost.artifacts``.
"""

from __future__ import annotations

from toolchain.architecture.cells import Cell, Operation
from toolchain.architecture.snasnet import KERNEL, SnasnetArchitecture, refuse
from toolchain.cost.artifacts import FLOAT_BYTES
from toolchain.cost.figures import energy_mj
from toolchain.cost.footprint import Footprint
from toolchain.cost.operations import Operations
from toolchain.graph.nodes import Shape
from toolchain.profiles.schema import Profile

_FILE, _NEURONS_STEP, _EDGE_STEP = 938, 670, 78
"""Bytes of a file around its values: of any, and of each layer of neurons and each edge in every time step."""

_SESSION_BYTES, _WEIGHT_COPIES = 10 << 20, 2
"""What ONNX Runtime takes to open any network, and how many float32 copies of the weights it keeps."""

_KERNELS = {Operation.CONV1X1: 1, Operation.CONV3X3: 3}


def parameters(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Trained values: weights, the gain and offset of each norm, and the voters' biases."""
    channels, voters = architecture.channels, classes * architecture.voters
    norms = 2 * (channels + channels + 2 * channels + 2 * channels)  # stem, reduction before and behind, last
    norms += sum(2 * width * len(_sides(cell)) for cell, width in _placed(architecture))
    full = architecture.maps(pixels).pooled.size * architecture.width
    return _weights(architecture, pixels) + norms + full + (architecture.width + 1) * voters


def footprint(architecture: SnasnetArchitecture, pixels: Shape, classes: int, profile: Profile) -> Footprint:
    """The demands of ``architecture`` on the Linux board of ``profile``, for ``cost.footprint.excesses``.

    Raises ``InputError`` if the board is a microcontroller, or the images are too small.
    """
    if profile.regions:
        raise refuse(f"A deployment on {profile.name}")
    dense = operations(architecture, pixels, classes).dense
    speed = profile.performance
    time_ms = None if speed is None else dense / speed.float_macs_per_second * 1e3
    energy = energy_mj(profile, time_ms)
    return Footprint(
        flash_bytes=None,
        sram_bytes=None,
        regions=(),
        artifact_bytes=artifact_bytes(architecture, pixels, classes),
        resident_bytes=resident_bytes(architecture, pixels, classes),
        latency_ms=time_ms,
        energy_mj=None if energy is None else float(energy),
        operations=dense,
    )


def operations(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> Operations:
    """Operations of an image over all time steps, dense; neurons with the same input are counted once.

    The stem reads pixels and the fully connected layer averages of spikes, so these multiply; all other weights
    are added where a spike comes. Voters count as the one output a class that they are averaged into.
    """
    maps, steps = architecture.maps(pixels), architecture.time_steps
    cells = sum(
        side**2 * shape.channels * shape.size
        for cell, shape in zip(architecture.cells, maps[:2], strict=True)
        for side in _sides(cell)
    )
    reduction = KERNEL**2 * maps.first.size * maps.second.channels
    return Operations(
        pixel_macs=KERNEL**2 * pixels.channels * maps.first.size,
        head_macs=steps * maps.pooled.size * architecture.width,
        dense_acs=steps * (cells + reduction) + classes * architecture.width,
        effective_acs=None,
        membrane_updates=steps * _potentials(architecture, pixels),
    )


def artifact_bytes(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Estimated size of the float32 ONNX file."""
    layers = 3 + sum(len(_read(cell)) for cell in architecture.cells)
    edges = sum(sum(map(bool, cell.operations)) for cell in architecture.cells)
    around = _FILE + (_NEURONS_STEP * layers + _EDGE_STEP * edges) * architecture.time_steps
    return FLOAT_BYTES * _stored(architecture, pixels, classes) + around


def resident_bytes(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Estimated memory that one inference takes above the bare runtime: session, file, weights, maps.

    ONNX Runtime runs the time steps side by side as far as it can, so that potentials and spikes of all of them are
    alive. Of seven networks from 12 to 240 MB this met the measured memory (x86-64) within a quarter.
    """
    maps = 2 * architecture.time_steps * _potentials(architecture, pixels)
    return (
        _SESSION_BYTES
        + artifact_bytes(architecture, pixels, classes)
        + FLOAT_BYTES * (_WEIGHT_COPIES * _stored(architecture, pixels, classes) + maps)
    )


def _stored(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Values in the file: weights, a bias for each folded norm, gain and offset of the others, two constants."""
    channels = architecture.channels
    biases = channels + 2 * channels + sum(width * len(_sides(cell)) for cell, width in _placed(architecture))
    affine = 2 * (channels + 2 * channels)
    full = architecture.maps(pixels).pooled.size * architecture.width
    kept = architecture.time_steps > 1
    return (
        _weights(architecture, pixels)
        + biases
        + affine
        + full
        + (architecture.width + 1) * classes
        + 1
        + kept
    )


def _weights(architecture: SnasnetArchitecture, pixels: Shape) -> int:
    """Weights of all convolutions."""
    channels = architecture.channels
    cells = sum(cell.weights(width) for cell, width in _placed(architecture))
    return KERNEL**2 * channels * (pixels.channels + 2 * channels) + cells


def _potentials(architecture: SnasnetArchitecture, pixels: Shape) -> int:
    """Neurons, those with the same input counted once."""
    maps = architecture.maps(pixels)
    cells = sum(
        len(_read(cell)) * shape.size for cell, shape in zip(architecture.cells, maps[:2], strict=True)
    )
    return cells + maps.first.size + maps.second.size + architecture.width


def _placed(architecture: SnasnetArchitecture) -> tuple[tuple[Cell, int], ...]:
    """Each cell with its channels."""
    first, second = architecture.cells
    return (first, architecture.channels), (second, 2 * architecture.channels)


def _sides(cell: Cell) -> list[int]:
    """Side of the kernel of each convolution."""
    return [_KERNELS[operation] for operation in cell.operations if operation in _KERNELS]


def _read(cell: Cell) -> set[int]:
    """Nodes that a convolution reads, and that therefore have neurons."""
    return {source for node in cell.nodes for source, operation in cell.into(node) if operation in _KERNELS}
