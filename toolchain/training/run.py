"""Train the architecture of a run folder and keep what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from safetensors.torch import save

from toolchain.architecture.build import build
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.storage import load_architecture
from toolchain.architecture.text import to_text
from toolchain.cost.footprint import excesses, footprint
from toolchain.datasets import Dataset
from toolchain.errors import InputError
from toolchain.files import locked, read_json, remove_leftovers, write_atomic, write_json
from toolchain.graph.graph import Graph
from toolchain.graph.storage import save_graph
from toolchain.profiles.schema import Profile
from toolchain.runs import TRAINING_SCHEMA, RunFolder, search_did_not_end
from toolchain.settings import RunSettings, TrainingSettings
from toolchain.training.checkpoints import load_checkpoint
from toolchain.training.float_run import FloatTrainingReport, train_float
from toolchain.training.narrowing import Fits, require_possible
from toolchain.training.progress import Progress
from toolchain.training.tensorboard import require_tensorboard
from toolchain.training.train import Trained, TrainingReport, require_apt, train


def train_run(
    run: RunFolder,
    *,
    changes: Mapping[str, object] = MappingProxyType({}),
    limits: Mapping[str, int] = MappingProxyType({}),
    resume: bool | None = None,
    tensorboard: bool = False,
    progress: Progress,
) -> TrainingReport | FloatTrainingReport:
    """Train ``run``'s architecture on its data set; ``changes`` to its ``TrainingSettings`` replace what they say.

    ``limits`` narrow its budget (``LimitSettings``), for this training and all that follows; each layer then gets
    the bits that the budget holds, unless ``bits`` says otherwise. What is given is kept in ``run.toml`` as training
    begins, once it is known to be possible.

    ``resume`` goes on with a training that did not end, as it was begun, whatever ``run.toml`` says of trainings by
    now; False begins anew in its place, and None refuses to if there is one.

    ``tensorboard``: curves go into ``tensorboard/``, in place of those of an earlier training.

    Writes ``checkpoint.safetensors``, ``model.json``, ``model.safetensors`` and ``training.json`` when training
    has ended; until then an earlier network stays as it was. ``training.safetensors`` holds where the training
    stands and goes last. The number of epochs that was trained is written back, so that a second training
    repeats the first. The verdict on an earlier network is removed. A
    network of the ``snasnet`` space is trained in float alone and has no ``model`` files.

    Raises ``InputError`` if the run's search did not end, its data changed, another process trains it, there is
    nothing to go on with or a change is not for its network, ``OverBudgetError`` if no bits keep it within the budget.
    """
    if run.imported.is_file():
        raise InputError(
            f"{run.path} holds an imported network, which has no architecture to train from scratch; import it again "
            "with another number of --epochs"
        )
    if not run.architecture.is_file():
        raise search_did_not_end(run, run.architecture)
    if tensorboard:
        require_tensorboard()  # before anything is trained
    busy = f"another process is training {run.path}; wait for it, or stop it"
    with locked(run.training_lock, busy):
        written = (run.unfinished_training, run.checkpoint, run.model, run.weights, run.training)
        for path in (*written, run.settings_file):
            remove_leftovers(path)
        return _train(run, changes, limits, resume, tensorboard, progress)


def finish_training(run: RunFolder, *, progress: Progress) -> dict[str, Any]:
    """The report of ``run``'s training, as JSON data: of the one that has ended, or of one that is gone on with if
    it did not end, or else begun. So calling this again after any accident is always right.

    Raises ``InputError`` as ``train_run``, or if the report is broken.
    """
    unfinished = run.unfinished_training.is_file()
    if unfinished or not run.training.is_file():
        return train_run(run, resume=unfinished or None, progress=progress).to_dict()
    report = read_json(run.training)
    if not isinstance(report, dict) or report.get("schema") != TRAINING_SCHEMA:
        raise InputError(
            f"{run.training} is not a report of this version ({TRAINING_SCHEMA}); train again: "
            f"spikenas-deploy train {run.path}"
        )
    return report


def _train(
    run: RunFolder,
    changes: Mapping[str, object],
    limits: Mapping[str, int],
    resume: bool | None,
    tensorboard: bool,
    progress: Progress,
) -> TrainingReport | FloatTrainingReport:
    architecture = load_architecture(run.architecture)
    data = run.dataset()
    settings = run.settings()
    wanted = _replaced(settings.training, changes, limits)
    if isinstance(architecture, SnasnetArchitecture):
        if resume:
            raise InputError(
                "a training in the snasnet space cannot be resumed; train again without --resume"
            )
        if tensorboard:
            raise InputError("trainings in the snasnet space draw no curves; leave --tensorboard out")
        _require_float_alone(changes, limits)
        report = train_float(run, architecture, data, wanted, progress)
        _keep_epochs(run, settings, wanted, report.recipe.epochs)
        return report
    if resume and not run.unfinished_training.is_file():
        raise InputError(
            f"{run.path} has no training to go on with; start one with `spikenas-deploy train {run.path}`"
        )
    if resume is None and run.unfinished_training.is_file():
        raise InputError(
            f"{run.path} has a training that did not end; go on with it: spikenas-deploy train --resume {run.path}, "
            "or give it up with --no-resume"
        )
    saved = load_checkpoint(run.unfinished_training) if resume else None
    if saved is not None:
        wanted = saved.header.settings
    settings = settings.model_copy(update={"training": wanted})
    if wanted.bits is not None:
        architecture = replace(architecture, bits=8 if wanted.bits == "auto" else wanted.bits)
    graph = build(architecture, data.pixels, data.preprocessing, data.labels, data.shifts)
    fits = _fits(run.profile(), settings)
    if saved is None:
        require_apt(graph, data, wanted)
        if wanted.bits == "auto":
            require_possible(graph, fits)
        run.save_settings(settings)
    result = train(
        graph,
        data,
        wanted,
        progress=progress,
        checkpoint=run.unfinished_training,
        saved=saved,
        fits=fits if wanted.bits == "auto" else None,
        events=run.tensorboard if tensorboard else None,
    )
    if not run.settings_file.is_file():
        raise InputError(f"{run.path} was removed while its training went on; start a new run with `search`")
    keep_trained(run, result, data, to_text(architecture))
    _keep_epochs(run, settings, wanted, result.report.recipe.epochs)
    run.unfinished_training.unlink(missing_ok=True)
    return result.report


def keep_trained(run: RunFolder, result: Trained, data: Dataset, architecture: str) -> None:
    """Write what a training, or an import, came to into ``run``, whose verdict on an earlier network goes.

    ``architecture``: in words, for the report.
    """
    state = {name: values.contiguous() for name, values in result.network.state_dict().items()}
    write_atomic(run.checkpoint, save(state))
    run.forget_verdict()
    save_graph(result.graph, run.path)
    write_json(
        run.training,
        result.report.to_dict()
        | {
            "architecture": architecture,
            "data": data.name,
            "data_sha256": data.sha256,
            "graph_sha256": result.graph.sha256(),
        },
    )


def _fits(profile: Profile, settings: RunSettings) -> Fits:
    """Whether a Graph keeps to the sizes that the budget limits; raises ``InputError`` if there is no such budget."""
    limits = settings.budget(profile)

    def fits(graph: Graph) -> bool:
        over = {excess.limit for excess in excesses(footprint(graph, profile, limits.targets), limits)}
        return over <= {"latency", "energy", "operations"}

    return fits


def _require_float_alone(changes: Mapping[str, object], limits: Mapping[str, int]) -> None:
    """Raise ``InputError`` for what says nothing to a network that is trained in float alone."""
    names = ("mirror", "spike_rate", "label_smoothing", "average", "precision", "bits")
    options = {name: f"--{name.replace('_', '-')}" for name in names}
    options |= {"distillation": "--teacher", "flash_bytes": "--flash", "artifact_bytes": "--artifact"}
    given = [option for name, option in options.items() if changes.get(name) or limits.get(name)]
    if given:
        raise InputError(
            f"a network of the snasnet space is trained in float, on images as they are; leave {', '.join(given)} out"
        )


def _keep_epochs(run: RunFolder, settings: RunSettings, wanted: TrainingSettings, epochs: int) -> None:
    trained = wanted.model_copy(update={"epochs": epochs})
    run.save_settings(settings.model_copy(update={"training": trained}))


def _replaced(
    settings: TrainingSettings, changes: Mapping[str, object], limits: Mapping[str, int]
) -> TrainingSettings:
    chosen = dict(changes)
    if limits:
        chosen = {"bits": "auto", "limits": settings.limits.model_copy(update=dict(limits))} | chosen
    if "time_budget_s" in chosen:
        # The epochs that an earlier training wrote back would otherwise win over the time given now.
        chosen.setdefault("epochs", None)
    return settings.model_copy(update=chosen)
