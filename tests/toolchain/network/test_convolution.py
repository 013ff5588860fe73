from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from toolchain.network.convolution import convolve


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2)])
def test_sums_are_exact_and_short_gradients_near(kernel: int, stride: int) -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 256, (4, 64, 9, 9), generator=generator).float()
    weight = torch.randint(-127, 128, (8, 64, kernel, kernel), generator=generator).float()
    expected = functional.conv2d(maps.double(), weight.double(), None, stride, kernel // 2)
    pull = torch.randn(expected.shape, generator=generator)
    gradients = []
    for short in (False, True):
        leaves = maps.clone().requires_grad_(), weight.clone().requires_grad_()
        found = convolve(*leaves, stride, short_gradients=short)
        assert (found.double() == expected).all()
        (found * pull).sum().backward()
        gradients.append([leaf.grad for leaf in leaves])
    for exact, short in zip(*gradients, strict=True):
        assert exact is not None and short is not None and short.dtype == torch.float32
        assert 0 < float((exact - short).norm() / exact.norm()) < 0.01


def test_pixels_get_no_gradient() -> None:
    weight = torch.ones(2, 1, 3, 3, requires_grad=True)
    convolve(torch.ones(1, 1, 4, 4), weight, 1, short_gradients=True).sum().backward()
    assert weight.grad is not None and float(weight.grad[0, 0, 1, 1]) == 16
