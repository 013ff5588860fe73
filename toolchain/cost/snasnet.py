"""What a float network of the ``snasnet`` space takes on a Linux board, from closed forms alone.

Parameters are those of the published network, to the unit. The file is float32 ONNX with norms folded and a class's
voters averaged (``toolchain.cost.snasnet_file``). Memory and latency are estimates as in ``toolchain.cost.artifacts``.
"""

from __future__ import annotations

from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import KERNEL, SnasnetArchitecture, refuse
from toolchain.cost.figures import energy_mj
from toolchain.cost.footprint import Footprint
from toolchain.cost.operations import Operations
from toolchain.cost.snasnet_file import convolved, file_bytes, firing
from toolchain.graph.nodes import Shape
from toolchain.profiles.schema import Profile

_SESSION_BYTES, _COPIES, _FULL_STEP, _POTENTIAL_STEP = 13_000_000, 2.6, 1.5, 15.5
"""Bytes that ONNX Runtime takes for any network, copies of the file, and in each time step bytes for each weight of the
fully connected layer, which it may pack anew, and each neuron. Fitted to 60 networks of 0.1 to 50 MB (ONNX Runtime
1.32, x86-64), none of which took more: they took a fifth less in the median, and one less than half."""


def parameters(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Trained values: weights, the gain and offset of each norm, and the voters' biases."""
    channels, voters = architecture.channels, classes * architecture.voters
    norms = 2 * (channels + channels + 2 * channels + 2 * channels)  # stem, reduction before and behind, last
    norms += sum(2 * width * len(convolved(cell)) for cell, width in _placed(architecture))
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
        for side in convolved(cell)
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
    """Size of the float32 ONNX file, which is never larger."""
    return file_bytes(architecture, pixels, classes)


def resident_bytes(architecture: SnasnetArchitecture, pixels: Shape, classes: int) -> int:
    """Estimated memory that one inference takes above the bare runtime."""
    steps = architecture.time_steps
    full = architecture.maps(pixels).pooled.size * architecture.width
    return round(
        _SESSION_BYTES
        + _COPIES * artifact_bytes(architecture, pixels, classes)
        + steps * (_FULL_STEP * full + _POTENTIAL_STEP * _potentials(architecture, pixels))
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
        len(firing(cell)) * shape.size for cell, shape in zip(architecture.cells, maps[:2], strict=True)
    )
    return cells + maps.first.size + maps.second.size + architecture.width


def _placed(architecture: SnasnetArchitecture) -> tuple[tuple[Cell, int], ...]:
    """Each cell with its channels."""
    first, second = architecture.cells
    return (first, architecture.channels), (second, 2 * architecture.channels)
