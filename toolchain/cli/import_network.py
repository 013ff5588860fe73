"""``import``: bring a network that was trained elsewhere, quantize it with data, and keep it as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolchain.cli.console import emit, print_table, progress
from toolchain.cli.run_options import (
    Board,
    Channels,
    Data,
    Frames,
    Json,
    Limit,
    Out,
    Seed,
    Side,
    data_settings,
)
from toolchain.graph.graph import MAX_TIME_STEPS
from toolchain.profiles import load
from toolchain.settings import RunSettings, TrainingSettings


def command(
    source: Annotated[
        str, typer.Argument(help="FILE.nir, or FILE.py:NAME of a model or of a function that makes it.")
    ],
    profile: Board,
    data: Data = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The model's weights, as .safetensors.")
    ] = None,
    time_steps: Annotated[
        int | None, typer.Option(min=1, max=MAX_TIME_STEPS, help="Steps that the model was trained for.")
    ] = None,
    epochs: Annotated[
        int, typer.Option(min=0, max=1000, help="Epochs of fine-tuning in integers; 0 quantizes alone.")
    ] = 0,
    scale: Annotated[
        float, typer.Option(help="What the model's pixels were divided by; torchvision's ToTensor: 255.")
    ] = 255.0,
    mean: Annotated[
        str | None,
        typer.Option(help="What was subtracted then, of all channels or of each, as in 0.5,0.4,0.4."),
    ] = None,
    std: Annotated[str | None, typer.Option(help="What was divided by then, likewise.")] = None,
    dt: Annotated[
        float, typer.Option(min=1e-9, max=10.0, help="Seconds of a time step of a NIR file; snnTorch: 1e-4.")
    ] = 1e-4,
    size: Side = None,
    channels: Channels = None,
    limit: Limit = None,
    frames: Frames = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Bring a network of snnTorch or NIR, quantize it with the data, and keep it as a run.

    It is an nn.Sequential of Conv2d, BatchNorm2d, Leaky, MaxPool2d, AvgPool2d, Flatten and Linear, or such a chain of
    NIR nodes. A layer that cannot be carried over is refused by name, with what to use instead. The Python file that
    you name is run; weights are only read.
    """
    from toolchain.graph.graph import Graph
    from toolchain.importing.own_file import import_own
    from toolchain.importing.pixels import PixelForm
    from toolchain.importing.run import import_run
    from toolchain.importing.source import open_source

    board = load(profile)
    settings = RunSettings(
        data=data_settings(data, size, channels, limit, frames), training=TrainingSettings(seed=seed)
    )
    form = PixelForm(scale, _numbers(mean, "--mean", (0.0,)), _numbers(std, "--std", (1.0,)))
    opened = open_source(source, weights, dt)
    if isinstance(opened, Graph):
        if epochs or time_steps not in (None, opened.time_steps):
            raise typer.BadParameter(
                f"{source} is an export of this toolchain, which is imported as it is; leave --epochs and --time-steps "
                "out"
            )
        run, report = import_own(opened, Path(source).name, board, settings, out=out, progress=progress)
    else:
        if time_steps is None:
            raise typer.BadParameter("how many time steps was the model trained for? give --time-steps")
        run, report = import_run(
            opened,
            board,
            settings,
            time_steps=time_steps,
            form=form,
            epochs=epochs,
            out=out,
            progress=progress,
        )
    emit({"run": str(run.path)} | report.to_dict(), as_json, _render)


def _numbers(text: str | None, option: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    try:
        return otherwise if text is None else tuple(map(float, text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            "give numbers between commas, as in 0.5,0.4,0.4", param_hint=option
        ) from None


def _render(document: dict[str, Any]) -> None:
    print_table(("layer", "becomes"), document["layers"])
    print()
    stages = (
        ("as it is, in snnTorch", "original_test_accuracy"),
        ("carried over, in float", "float_test_accuracy"),
        ("in integers", "test_accuracy"),
    )
    rows = [(stage, f"{document[key]:.2%}") for stage, key in stages if document[key] is not None]
    print_table(("accuracy (measured)", f"{document['test_images']:,} test images>"), rows)
    for note in document["notes"]:
        print(f"note: {note}")
    if not document["epochs"] and document["original_test_accuracy"] is not None:
        print("note: quantized as it is; --epochs fine-tunes it in integers")
    print(f"imported {document['run']}; next: spikenas-deploy export {document['run']}")
