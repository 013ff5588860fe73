"""A NIR file in a reader that is not ours: snnTorch's, run image by image as its users would."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from exporters.nir.convention import PIXEL_UNIT
from exporters.nir.lowering import current_factor
from toolchain.graph import reference
from toolchain.graph.bounds import round_half_up
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Lif, OrPool, PixelConv, as_int


def subtracting(neuron: Any) -> Any:
    """snnTorch's neuron ``neuron`` with reset by subtraction."""
    import snntorch

    return snntorch.Leaky(
        beta=neuron.beta,
        threshold=neuron.threshold,
        reset_mechanism="subtract",
        reset_delay=False,
        init_hidden=True,
    )


class Integers(torch.nn.Module):
    """The neuron that the metadata describe: floor in the leak, rounded currents of pixels, reset as it says."""

    def __init__(self, node: Lif) -> None:
        super().__init__()
        self.node, self.potential = node, np.zeros((1, 1, 1, 1), np.int64)

    def reset_mem(self) -> None:
        self.potential = np.zeros((1, *self.node.shape), np.int64)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        exact = current.double().numpy() / current_factor(self.node).reshape(1, -1, 1, 1)
        edge = self.node.edges[0]
        if isinstance(edge, PixelConv):
            rounding = as_int(edge.rounding, "rounding").reshape(1, -1, 1, 1)
            bias = reference.per_channel(as_int(self.node.bias, "bias"))
            sums = np.rint((exact - bias) * np.exp2(rounding)).astype(np.int64)
            integers = round_half_up(sums, rounding) + bias
        else:
            integers = np.rint(exact).astype(np.int64)
        spikes, self.potential = reference.fire(self.node, self.potential, integers)
        return torch.from_numpy(spikes).float()


class SnntorchReader:
    """``resets``: set each neuron's reset to what our metadata say, which snnTorch's reader leaves at zero.
    ``integers``: put the neuron that they describe in place of snnTorch's, so that all else is what differs."""

    def __init__(self, path: Path, graph: Graph, *, resets: bool = False, integers: bool = False) -> None:
        import nir
        from snntorch.import_nir import import_from_nir

        read = nir.read(path)
        with contextlib.redirect_stdout(io.StringIO()):  # it tells what it scales
            self.network = import_from_nir(read)
        self.graph = graph
        if resets:
            for name, node in read.nodes.items():
                if isinstance(node, nir.LIF) and node.metadata["spikenas"].get("reset") == "subtract":
                    setattr(self.network, name, subtracting(getattr(self.network, name)))
        for node in graph.all(Lif) if integers else ():
            setattr(self.network, node.name, Integers(node))
        self.maps: dict[str, list[Any]] = {}
        for node in graph.nodes:
            if isinstance(node, Lif | OrPool):
                getattr(self.network, node.name).register_forward_hook(self._keep(node.name))

    def _keep(self, name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            self.maps[name].append(output.detach()[0].numpy().astype(np.uint8))

        return hook

    @torch.no_grad()
    def run(self, images: NDArray[np.uint8]) -> tuple[NDArray[Any], dict[str, NDArray[np.uint8]]]:
        """Outputs summed over time [n, classes] and spikes by node [T, n, C, H, W] of ``images``."""
        outputs, spikes = [], []
        for image in images:
            for module in self.network.modules():
                if hasattr(module, "reset_mem"):
                    module.reset_mem()
            self.maps = {node.name: [] for node in self.graph.nodes if isinstance(node, Lif | OrPool)}
            total: Any = 0
            for step in range(self.graph.time_steps):
                frame = image if self.graph.input.frames == 1 else image[step]
                # One image at a time: the reader's flattening takes the batch with it.
                result = self.network(torch.from_numpy(frame).float().unsqueeze(0) * PIXEL_UNIT)
                total = total + (result[0] if isinstance(result, tuple) else result)
            outputs.append(np.asarray(total).reshape(-1))
            spikes.append({name: np.stack(steps) for name, steps in self.maps.items()})
        by_node = {name: np.stack([each[name] for each in spikes], axis=1) for name in spikes[0]}
        return np.stack(outputs), by_node
