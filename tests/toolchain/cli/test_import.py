"""``import`` through the command line: a model of snnTorch, a NIR file from elsewhere, and one of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.support.brought import net, training
from toolchain.cli.main import main
from toolchain.datasets import load
from toolchain.graph.storage import load_graph
from toolchain.network.spiking import SpikingNetwork
from toolchain.runs import RunFolder, find

SOURCE = f"{net.__file__}:build"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model that was trained in snnTorch on the built-in digits."""
    torch.manual_seed(0)
    model = net.build()
    training.train(model, load(None).train, epochs=3)
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_file(model.state_dict(), path)
    yield path


def brought(weights: Path, *more: str) -> list[str]:
    given = ["import", SOURCE, "--weights", str(weights), "--time-steps", "4", "--profile", "stm32f405"]
    return [*given, "--out", "run", *more]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_trained_model_keeps_its_accuracy_in_integers(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(brought(weights, "--json")) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["original_test_accuracy"] > 0.75
    assert report["test_accuracy"] >= report["original_test_accuracy"] - 0.01
    run = RunFolder(Path("run"))
    assert json.loads(run.imported.read_text())["test_accuracy"] == report["test_accuracy"]
    assert json.loads(run.training.read_text())["differing_integers"] == 0
    assert run.settings().data.sha256 == run.dataset().sha256
    graph = load_graph(run.path)
    from safetensors.torch import load_file

    network = SpikingNetwork(graph)
    network.load_state_dict(load_file(run.checkpoint))
    assert graph.time_steps == 4 and graph.has_weights

    assert main(["export", "run", "--format", "onnx", "--format", "nir", "--samples", "20"]) == 0
    assert "0 of 200" in capsys.readouterr().out
    assert main(["check", "run"]) == 0
    assert main(["train", "run"]) == 3
    assert "holds an imported network" in capsys.readouterr().err

    assert main(["import", "run/artifacts/model.nir", "--profile", "stm32f405", "--out", "again"]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["report", "again", "--samples", "20"]) == main(["report", "run", "--samples", "20"]) == 0
    assert load_graph(Path("again")).sha256() == graph.sha256()
    assert json.loads(Path("again/import.json").read_text())["test_accuracy"] == report["test_accuracy"]


def test_fine_tuning_in_integers_and_what_is_printed(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(brought(weights, "--epochs", "1")) == 0
    printed = capsys.readouterr()
    for words in (
        "layer 1 (BatchNorm2d)  folded into layer 0",
        "lif1: 16x8x8 neurons that keep 0.875, 1 - 2^-3",
        "pool1: OR pooling",
        "as it is, in snnTorch",
        "carried over, in float",
        "keeps beta = 0.9 of a potential",
        "the scores here are the currents",
        "reset by subtraction a step late",
        "next: spikenas-deploy export run",
    ):
        assert words in printed.out
    assert "fine-tuning 1 epochs in integers" in printed.err and "--epochs fine-tunes" not in printed.out
    assert RunFolder(Path("run")).settings().training.epochs == 1


def test_the_newest_run_may_be_an_imported_one(weights: Path) -> None:
    given = [part for part in brought(weights, "--limit", "60") if part not in ("--out", "run")]
    assert main(given) == 0
    assert find(None).imported.is_file()


def test_a_chain_from_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    nir = pytest.importorskip("nir")
    from tests.toolchain.importing.test_nir_network import lif, nodes

    rng = np.random.default_rng(1)
    found = nodes(
        input=nir.Input({"input": np.array([1, 16, 16])}),
        conv=nir.Conv2d((16, 16), rng.normal(0, 0.6, (4, 1, 3, 3)), 1, 1, 1, 1, np.zeros(4)),
        lif=lif((4, 16, 16)),
        flatten=nir.Flatten({"input": np.array([4, 8, 8])}, 0, -1),
        affine=nir.Affine(rng.normal(0, 0.3, (10, 256)), np.zeros(10)),
        output=nir.Output({"output": np.array([10])}),
    )
    names = list(found)
    nir.write("net.nir", nir.NIRGraph(found, list(zip(names, names[1:], strict=False))))
    given = [
        "import",
        "net.nir",
        "--profile",
        "stm32f405",
        "--time-steps",
        "4",
        "--out",
        "run",
        "--limit",
        "200",
    ]
    assert main([*given, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    difference = report["test_accuracy"] - report["original_test_accuracy"]
    assert abs(difference) <= 0.05 and report["layers"][1][0] == "layer lif (Leaky)"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"--time-steps": None}, 2, "give --time-steps"),
        ({"--mean": "a,b"}, 2, "give numbers between commas"),
        ({"--mean": "0.1,0.2"}, 3, "--mean has 2 values, but the images have 1 channels"),
        ({"--scale": "0"}, 3, "--scale and --std are finite numbers above 0"),
        ({"--size": "20"}, 3, "takes 512 features and gets 32x5x5; give the size"),
        ({"--profile": "nothing"}, 3, "nothing"),
    ],
)
def test_what_is_refused_leaves_no_run(
    change: dict[str, str | None], code: int, words: str, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = brought(weights, "--limit", "60")
    for option, value in change.items():
        if option in given:
            place = given.index(option)
            del given[place : place + 2]
        given += [option, value] if value is not None else []
    assert main(given) == code
    assert words in capsys.readouterr().err and not Path("run").exists()


def test_our_own_file_is_imported_as_it_is(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(brought(weights, "--limit", "60")) == 0
    assert main(["export", "run", "--format", "nir", "--no-verify"]) == 0
    given = ["import", "run/artifacts/model.nir", "--profile", "stm32f405", "--out", "again"]
    capsys.readouterr()
    assert main([*given, "--epochs", "2"]) == 2
    assert "leave --epochs and --time-steps out" in capsys.readouterr().err
    assert main([*given, "--size", "12"]) == 3
    assert "takes grey images of 16x16, and the data are grey of 12x12" in capsys.readouterr().err
    assert not Path("again").exists()
