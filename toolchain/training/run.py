"""Train the architecture of a run folder and keep what comes out of it."""

from __future__ import annotations

from safetensors.torch import save

from toolchain.architecture.build import build
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.storage import load_architecture
from toolchain.architecture.text import to_text
from toolchain.errors import InputError
from toolchain.files import write_atomic, write_json
from toolchain.graph.nodes import Shape
from toolchain.graph.storage import save_graph
from toolchain.runs import RunFolder, RunSettings, TrainingSettings
from toolchain.training.float_run import FloatTrainingReport, train_float
from toolchain.training.loop import Progress
from toolchain.training.train import TrainingReport, train


def train_run(
    run: RunFolder,
    *,
    epochs: int | None = None,
    time_budget_s: float | None = None,
    seed: int | None = None,
    progress: Progress,
) -> TrainingReport | FloatTrainingReport:
    """Train ``run``'s architecture on its data set; what is given here replaces what its settings say.

    Writes ``checkpoint.safetensors``, ``model.json``, ``model.safetensors`` and ``training.json``, all
    after training has ended: an interrupted training leaves the run as it was. The number of epochs that
    was trained is written back to ``run.toml``, so that a second training repeats the first. The verdict on
    an earlier network is removed. A network of the ``snasnet`` space is trained in float alone and has no
    ``model`` files. Raises ``InputError`` if the run's search did not end, or its data changed.
    """
    if not run.architecture.is_file():
        raise InputError(
            f"{run.path} has no {run.architecture.name}, because its search did not end; "
            f"go on with it: spikenas-deploy search --resume {run.path}"
        )
    architecture = load_architecture(run.architecture)
    data = run.dataset()
    settings = run.settings()
    wanted = _replaced(settings.training, epochs, time_budget_s, seed)
    if isinstance(architecture, SnasnetArchitecture):
        report = train_float(run, architecture, data, wanted, progress)
        _keep_epochs(run, settings, wanted, report.recipe.epochs)
        return report
    graph = build(architecture, Shape(*data.train.images.shape[1:]), data.preprocessing, data.labels)
    result = train(
        graph,
        data,
        seed=wanted.seed,
        epochs=wanted.epochs,
        time_budget_s=wanted.time_budget_s,
        progress=progress,
    )
    state = {name: values.contiguous() for name, values in result.network.state_dict().items()}
    write_atomic(run.checkpoint, save(state))
    run.report.unlink(missing_ok=True)
    save_graph(result.graph, run.path)
    write_json(
        run.training,
        result.report.to_dict()
        | {
            "architecture": to_text(architecture),
            "data": data.name,
            "data_sha256": data.sha256,
            "graph_sha256": result.graph.sha256(),
        },
    )
    _keep_epochs(run, settings, wanted, result.report.recipe.epochs)
    return result.report


def _keep_epochs(run: RunFolder, settings: RunSettings, wanted: TrainingSettings, epochs: int) -> None:
    trained = wanted.model_copy(update={"epochs": epochs})
    run.save_settings(settings.model_copy(update={"training": trained}))


def _replaced(
    settings: TrainingSettings, epochs: int | None, time_budget_s: float | None, seed: int | None
) -> TrainingSettings:
    changes: dict[str, int | float | None] = {}
    if time_budget_s is not None:
        # The epochs that an earlier training wrote back would otherwise win over the time given now.
        changes |= {"epochs": None, "time_budget_s": time_budget_s}
    if epochs is not None:
        changes["epochs"] = epochs
    if seed is not None:
        changes["seed"] = seed
    return settings.model_copy(update=changes)
