from __future__ import annotations

from pathlib import Path

import pytest
import torch

from exporters.onnx import snasnet
from tests.support.data import bars
from toolchain.architecture.snasnet import parse
from toolchain.errors import InputError, OutputsDifferError
from toolchain.graph.nodes import Shape
from toolchain.network.snasnet import SnasnetNetwork
from toolchain.verification.float_network import compare_float

TINY = parse("snasnet t3 stem4/1 302030 003000 pool2 fc32 voters2")


def network(seed: int = 0) -> SnasnetNetwork:
    """Untrained, but with the statistics of images in its norms."""
    found = SnasnetNetwork(TINY, Shape(1, 8, 8), 3, seed=seed).train()
    with torch.no_grad():
        for _ in range(20):
            found(torch.from_numpy(bars().train.images))
    return found.eval()


def test_the_same_network_gives_the_same_logits(tmp_path: Path) -> None:
    path = snasnet.export(network(), tmp_path, 13, 7)
    found = compare_float(path, network(), bars(400).test.images)
    assert (found.images, found.artifact) == (100, "model_float.onnx")
    assert found.apart <= 2 and found.other_class <= 2


def test_another_network_does_not(tmp_path: Path) -> None:
    path = snasnet.export(network(), tmp_path, 13, 7)
    with pytest.raises(OutputsDifferError, match=r"logits of \d+ of 30 images are apart"):
        compare_float(path, network(1), bars().test.images)


def test_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "model_float.onnx"
    path.write_bytes(b"\x08\x07nothing")
    with pytest.raises(InputError, match="export it again"):
        compare_float(path, network(), bars().test.images)
