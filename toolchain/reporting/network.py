"""The network: its blocks with their cells, and what each layer takes and does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from toolchain.architecture.architecture import Architecture as SpikenasArchitecture
from toolchain.architecture.architecture import Shrink
from toolchain.architecture.cells import EDGES, Cell, Operation
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.text import AnyArchitecture, to_text
from toolchain.cost.operations import operations, operations_by_node, parameters_by_node
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Lif
from toolchain.graph.thresholds import small_thresholds
from toolchain.reporting.document import Architecture, Block, CellEdge, Layer, Operations
from toolchain.verification.activity import Activity


def architecture(found: AnyArchitecture) -> Architecture:
    """``found`` block by block, in the order in which the data passes."""
    is_snasnet = isinstance(found, SnasnetArchitecture)
    return Architecture(
        text=to_text(found),
        space="snasnet" if is_snasnet else "spikenas",
        time_steps=found.time_steps,
        blocks=list(_snasnet(found) if isinstance(found, SnasnetArchitecture) else _spikenas(found)),
    )


def layers(graph: Graph, activity: Activity | None) -> list[Layer]:
    """Every node of ``graph`` but its pixels; what depends on spikes is from ``activity``."""
    rates: Mapping[str, float] | None = activity.spike_rates if activity else None
    parameters = parameters_by_node(graph) if graph.has_weights else None
    counts, small = operations_by_node(graph, rates), small_thresholds(graph)
    found = []
    for node in graph.nodes:
        if isinstance(node, Input):
            continue
        fires, count = isinstance(node, Lif), counts.get(node.name)
        found.append(
            Layer(
                name=node.name,
                kind="neurons" if fires else "read-out" if isinstance(node, Head) else "pool",
                shape=[node.classes] if isinstance(node, Head) else list(node.shape),
                parameters=None if parameters is None else parameters.get(node.name, 0),
                bits=node.bits if isinstance(node, Lif | Head) else None,
                macs=count.pixel_macs + count.head_macs if count else 0,
                dense_acs=count.dense_acs if count else 0,
                effective_acs=count.effective_acs if count else None,
                spike_rate=rates.get(node.name) if rates else None,
                small_thresholds=small.get(node.name, 0) if fires and graph.has_weights else None,
            )
        )
    return found


def totals(graph: Graph, activity: Activity | None) -> Operations:
    """The operations of an image in all; parameters and what depends on spikes are those of ``activity``."""
    found = operations(graph)
    return Operations(
        parameters=activity.parameters if activity else None,
        pixel_macs=found.pixel_macs,
        head_macs=found.head_macs,
        dense_acs=found.dense_acs,
        effective_acs=activity.effective_acs if activity else None,
        membrane_updates=found.membrane_updates,
        spiking_images=activity.images if activity else None,
    )


def _spikenas(found: SpikenasArchitecture) -> Iterator[Block]:
    stride, channels = found.stem_stride, found.stem_channels
    yield Block(kind="input", title="pixels", detail=f"{found.time_steps} time steps")
    yield Block(kind="stem", title="stem", detail=f"3x3 convolution to {channels} channels, stride {stride}")
    cells = shrinks = 0
    for block in found.blocks:
        if isinstance(block, Cell):
            yield _cell(block, cells, channels)
            cells += 1
        else:
            shrinks, channels = shrinks + 1, block.channels
            yield Block(kind="shrink", title=f"shrink {shrinks}", detail=_shrink(block))
    how = "spikes counted per channel" if found.head == "count" else "spikes counted per neuron"
    yield Block(kind="head", title="read-out", detail=f"linear, of {how}")


def _snasnet(found: SnasnetArchitecture) -> Iterator[Block]:
    yield Block(kind="input", title="pixels", detail=f"{found.time_steps} time steps")
    detail = f"3x3 convolution to {found.channels} channels, stride {found.stem_stride}"
    yield Block(kind="stem", title="stem", detail=detail)
    first, second = found.cells
    yield _cell(first, 0, found.channels)
    detail = f"3x3 convolution to {2 * found.channels} channels, then average pooling by 2"
    yield Block(kind="shrink", title="reduction", detail=detail)
    yield _cell(second, 1, 2 * found.channels)
    yield Block(kind="pool", title="pooling", detail=f"average pooling by {found.pool}")
    yield Block(kind="classifier", title="classifier", detail=f"fully connected, {found.width} neurons")
    yield Block(kind="head", title="voters", detail=f"{found.voters} a class, averaged")


def _shrink(block: Shrink) -> str:
    to = f"3x3 convolution to {block.channels} channels"
    return f"{to}, stride 2" if block.form == "stride" else f"OR pooling by 2, then {to}"


def _cell(cell: Cell, position: int, channels: int) -> Block:
    return Block(
        kind="cell",
        title=f"cell {position}",
        detail=f"{channels} channels",
        cell=str(cell),
        edges=[
            CellEdge(source=source, target=target, operation=operation.name.lower())  # type: ignore[arg-type]
            for (source, target), operation in zip(EDGES, cell.operations, strict=True)
            if operation != Operation.ZEROIZE
        ],
    )
