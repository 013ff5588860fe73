"""The table of ``export --explain``: which kernel runs each layer of the firmware, and on what spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolchain.reporting.tables import Table

if TYPE_CHECKING:
    from exporters.c.explanation import LayerKernel

_COLUMNS = (
    "layer",
    "kernel",
    "hot loop",
    "rows",
    "bits>",
    "spikes>",
    "in both>",
    "once>",
    "each>",
    "weights in",
    "scratch>",
)


def kernel_table(layers: Sequence[LayerKernel]) -> Table:
    """A row a layer. ``rows``: added once for two time steps, or in each; ``once`` and ``each``: the instructions that
    listing events and adding rows is estimated to take either way."""
    rows = [
        (
            layer.layer,
            layer.function,
            layer.files[-1],
            "" if layer.share is None else "once" if layer.share else "each step",
            _text(layer.bits),
            "" if layer.spike_rate is None else f"{layer.spike_rate:.1%}",
            "" if layer.both_rate is None else f"{layer.both_rate:.1%}",
            _text(layer.shared_instructions),
            _text(layer.apart_instructions),
            layer.weights_region or "",
            f"{layer.scratch_bytes:,}",
        )
        for layer in layers
    ]
    return Table(
        "kernels; instructions of listing events and adding rows, an image (estimate)", _COLUMNS, tuple(rows)
    )


def _text(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
