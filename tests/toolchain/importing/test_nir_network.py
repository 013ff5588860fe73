"""NIR files from elsewhere: a chain of nodes becomes snnTorch's layers; what has no place is refused by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import nn

from exporters.nir import hdf5, unpack
from tests.support.data import bars
from toolchain.errors import InputError
from toolchain.importing import nir_network
from toolchain.importing.carrying import carry
from toolchain.importing.original import outputs
from toolchain.importing.pixels import PixelForm
from toolchain.importing.rules import require_carriable
from toolchain.importing.run import Brought
from toolchain.importing.source import open_source

nir = pytest.importorskip("nir")

DT = 1e-4
RNG = np.random.default_rng(0)
WEIGHT, HEAD = RNG.normal(0, 0.6, (4, 1, 3, 3)), RNG.normal(0, 0.5, (3, 64))


def lif(shape: tuple[int, ...] = (4, 8, 8), kept: float = 0.75, threshold: Any = 0.4, **fields: Any) -> Any:
    tau = np.full(shape, DT / (1 - kept))
    values = {
        "tau": tau,
        "r": tau / DT,
        "v_leak": np.zeros(shape),
        "v_threshold": np.broadcast_to(np.asarray(threshold, np.float64), shape).copy(),
        "v_reset": np.zeros(shape),
    }
    return nir.LIF(**{**values, **fields})


def nodes(**changes: Any) -> dict[str, Any]:
    """Conv2d -> LIF -> SumPool2d -> Flatten -> Affine."""
    found = {
        "input": nir.Input({"input": np.array([1, 8, 8])}),
        "conv": nir.Conv2d((8, 8), WEIGHT, 1, 1, 1, 1, np.zeros(4)),
        "lif": lif(),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flatten": nir.Flatten({"input": np.array([4, 4, 4])}, 0, -1),
        "affine": nir.Affine(HEAD, np.ones(3)),
        "output": nir.Output({"output": np.array([3])}),
    }
    return found | changes


def tree(found: dict[str, Any], edges: list[tuple[str, str]] | None = None) -> Any:
    names = list(found)
    chain = list(zip(names, names[1:], strict=False)) if edges is None else edges
    stream = io.BytesIO()
    nir.write(stream, nir.NIRGraph(found, chain, type_check=False))
    arrays, texts = unpack.collect(stream.getvalue())
    return hdf5.tree(arrays | texts)


def layers_of(found: dict[str, Any]) -> Any:
    return nir_network.layers_of(tree(found), "net.nir", DT)


def test_a_chain_becomes_layers_that_compute_its_equations() -> None:
    model, layers = layers_of(nodes())
    assert [layer.place for layer in layers] == ["conv", "lif", "pool", "flatten", "affine"]
    images = bars(30).train.images
    found = outputs(model, images, 3, PixelForm())
    maps = torch.nn.functional.conv2d(
        torch.from_numpy(images).double() / 255, torch.from_numpy(WEIGHT), padding=1
    ).numpy()
    potential, counts = np.zeros_like(maps), np.zeros_like(maps)
    for _ in range(3):
        potential = 0.75 * potential + maps
        fired = potential > 0.4
        potential[fired] = 0
        counts += fired
    sums = counts.reshape(len(images), 4, 4, 2, 4, 2).sum((3, 5)).reshape(len(images), -1)
    np.testing.assert_allclose(found, sums @ HEAD.T + 3, atol=1e-3)
    require_carriable(layers, "net.nir")
    carried = carry(layers, bars(30), 3, PixelForm())
    assert carried.graph.head.features == "flatten" and len(carried.notes) == 1


@pytest.mark.parametrize("r", [1.0, 4.0])
def test_r_and_the_step_scale_the_threshold(r: float) -> None:
    model, _ = layers_of(nodes(lif=lif(r=np.full((4, 8, 8), r))))
    neuron = model[1]
    assert float(neuron.beta) == pytest.approx(0.75)
    assert float(neuron.threshold) == pytest.approx(0.4 / (r * 0.25))


def test_thresholds_of_channels_and_neurons_without_a_leak() -> None:
    threshold = np.linspace(0.2, 0.8, 4).reshape(4, 1, 1)
    model, _ = layers_of(nodes(lif=lif(threshold=threshold)))
    np.testing.assert_allclose(model[1].threshold.reshape(-1).numpy(), threshold.reshape(-1), rtol=1e-6)
    ones = np.ones((4, 8, 8))
    model, _ = layers_of(nodes(lif=nir.IF(ones, 0.5 * ones)))
    assert float(model[1].beta) == 1 and float(model[1].threshold) == 0.5


def test_what_snntorch_exports(tmp_path: Path) -> None:
    """Its exporter needs neurons with parameters in the shape of their map, and knows no reset but NIR's."""
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(0)
    beta, threshold = torch.full((4, 8, 8), 0.75), torch.full((4, 8, 8), 0.3)
    neuron = snn.Leaky(beta, threshold, reset_mechanism="zero", init_hidden=True)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), neuron, nn.Flatten(), nn.Linear(256, 3))
    nir.write(tmp_path / "net.nir", export_to_nir(model, torch.rand(1, 1, 8, 8), ignore_dims=[0]))
    brought = open_source(str(tmp_path / "net.nir"), None, DT)
    assert isinstance(brought, Brought)
    images = bars(30).train.images
    wanted, found = (outputs(each, images, 3, PixelForm()) for each in (model, brought.model))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    carried = carry(brought.layers, bars(30), 3, PixelForm())
    assert np.ptp(wanted, axis=0).min() > 0.01 and len(carried.notes) == 1


ONES = np.ones((4, 8, 8))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lif": nir.CubaLIF(ONES, ONES, ONES, ONES, ONES)}, r"'lif' \(CubaLIF\) has no place; use a LIF"),
        ({"affine": nir.LI(ONES, ONES, ONES)}, r"'affine' \(LI\) has no place; use nothing: the outputs"),
        ({"pool": nir.Scale(ONES)}, r"'pool' \(Scale\) has no place; use weights"),
        (
            {"conv": nir.Conv1d(8, np.ones((4, 1, 3)), 1, 1, 1, 1, np.ones(4))},
            r"'conv' \(Conv1d\) has no place",
        ),
        ({"lif": lif(v_leak=ONES)}, "leaks towards another potential"),
        ({"lif": lif(v_reset=ONES)}, "resets to another potential"),
        ({"lif": lif(tau=ONES * 1e-5)}, "has a tau below the time step of 0.0001 s; give the step"),
        (
            {"lif": lif(threshold=RNG.random((4, 8, 8)))},
            "for each neuron; use one for the layer or each channel",
        ),
        ({"lif": lif(threshold=np.nan)}, r"damaged: 'lif' \(LIF\) has broken values"),
        ({"conv": nir.Conv2d((8, 8), WEIGHT[0], 1, 1, 1, 1, np.zeros(4))}, "damaged: 'conv'"),
        (
            {"conv": nir.Conv2d((8, 8), WEIGHT, 3, 1, 1, 1, np.zeros(4))},
            r"layer conv \(Conv2d\) has a stride of 3x3",
        ),
        ({"flatten": nir.Flatten({"input": np.array([4, 4, 4])}, 2, -1)}, "flattens in part"),
    ],
)
def test_nodes_without_a_place_are_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        _, layers = layers_of(nodes(**changes))
        require_carriable(layers, "net.nir")
        carry(layers, bars(30), 3, PixelForm())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda edges: [*edges, ("lif", "flatten")], "branches or joins at 'lif'"),
        (lambda edges: [*edges, ("lif", "lif")], "branches or joins at 'lif'|joins"),
        (lambda edges: edges[:-2], "does not reach, such as 'affine'|does not reach"),
        (lambda edges: [*edges[:-1], ("affine", "input")], "runs in a circle|branches or joins at 'input'"),
        (lambda edges: [*edges[:-1], ("affine", "nowhere")], "does not reach, such as 'output'|broken"),
    ],
)
def test_only_chains_are_imported(
    edit: Callable[[list[tuple[str, str]]], list[tuple[str, str]]], reason: str
) -> None:
    names = list(nodes())
    edges = edit(list(zip(names, names[1:], strict=False)))
    with pytest.raises(InputError, match=reason):
        nir_network.layers_of(tree(nodes(), edges), "net.nir", DT)


@pytest.mark.parametrize(
    "node", [None, 3, {"type": "LIF"}, {"type": "NIRGraph", "nodes": {"a": 1}, "edges": []}]
)
def test_what_is_no_graph(node: Any) -> None:
    with pytest.raises(InputError, match="holds no NIR graph|broken nodes"):
        nir_network.layers_of({"node": node}, "net.nir", DT)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("net.py", "name the function or model, as in net.py:build"),
        ("net.onnx", "is neither FILE.nir nor FILE.py:NAME"),
        ("missing.nir", "does not exist"),
        ("missing.py:build", "does not exist"),
    ],
)
def test_sources_that_are_none(source: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        open_source(source, None, DT)
