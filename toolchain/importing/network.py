"""The float network of this toolchain with a brought model's weights in it."""

from __future__ import annotations

import torch

from toolchain.importing.carrying import Carried
from toolchain.network.spiking import ConvNorm, FloatLif, SpikingNetwork


@torch.no_grad()
def fill(network: SpikingNetwork, carried: Carried) -> None:
    """Give ``network``, of ``carried``'s graph, the values that were carried over; in place.

    Batch normalization is folded into them, so that of the network does nothing. A head's outputs are the sums of
    what the model's last layer gives in each time step.
    """
    for name, current in carried.currents.items():
        module = network.nodes[name]
        assert isinstance(module, FloatLif)
        pair = module.convolutions["0"]
        assert isinstance(pair, ConvNorm) and pair.norm.running_mean is not None
        assert pair.norm.running_var is not None
        pair.convolution.weight.copy_(torch.from_numpy(current.weight))
        pair.norm.running_mean.zero_()
        pair.norm.running_var.fill_(1 - pair.norm.eps)
        pair.norm.weight.fill_(1)
        pair.norm.bias.copy_(torch.from_numpy(current.bias))
    weight, bias = carried.head
    network.head.linear.weight.copy_(torch.from_numpy(weight * 2.0**network.head.shift))
    network.head.linear.bias.copy_(torch.from_numpy(bias * carried.graph.time_steps))
