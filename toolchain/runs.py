"""A run on disk: one folder that holds every setting, the search's journal, the model, its artifacts and the verdict.

run.toml             every setting and seed            profile.json      the resolved hardware profile
search.jsonl         journal of the search             search.json       what it found, the front included
architecture.json    the architecture chosen
training.json        accuracies of every stage         checkpoint.safetensors  the float network
model.json, model.safetensors  the integer Graph       artifacts/        what is shipped
import.json          what a brought network was, and what its layers became; in place of search and architecture
report.json          the verdict                       manifest.json     versions, seeds, sizes, hashes
report.html          all of it on one page
training.safetensors where a training stands that has not ended
tensorboard/         curves of the training, if asked for
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from pydantic import ValidationError

from toolchain.errors import InputError
from toolchain.files import read_json, read_toml, sha256, write_atomic, write_json
from toolchain.profiles import from_document
from toolchain.profiles.budget import Budget, budget
from toolchain.profiles.schema import Profile
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule, schedule
from toolchain.settings import RunSettings

if TYPE_CHECKING:
    from toolchain.datasets import Dataset

TRAINING_SCHEMA = "spikenas-training/1"
"""Form of ``training.json``."""

RUNS = Path("runs")
"""Folder, below the current one, where runs go that were given no ``--out``."""

PACKAGES = (
    "spikenas-deploy",
    "torch",
    "snntorch",
    "numpy",
    "onnx",
    "onnxruntime",
    "tflite-runtime",
    "ai-edge-litert",
    "ziglang",
)
"""Distributions whose versions a manifest records."""


@dataclass(frozen=True)
class RunFolder:
    """A run's folder; the properties name the files in it."""

    path: Path

    @property
    def settings_file(self) -> Path:
        return self.path / "run.toml"

    @property
    def profile_file(self) -> Path:
        return self.path / "profile.json"

    @property
    def journal(self) -> Path:
        return self.path / "search.jsonl"

    @property
    def search(self) -> Path:
        return self.path / "search.json"

    @property
    def architecture(self) -> Path:
        return self.path / "architecture.json"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def unfinished_training(self) -> Path:
        return self.path / "training.safetensors"

    @property
    def training_lock(self) -> Path:
        return self.path / ".training.lock"

    @property
    def training(self) -> Path:
        return self.path / "training.json"

    @property
    def model(self) -> Path:
        return self.path / "model.json"

    @property
    def weights(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def imported(self) -> Path:
        return self.path / "import.json"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def report(self) -> Path:
        return self.path / "report.json"

    @property
    def page(self) -> Path:
        return self.path / "report.html"

    @property
    def has_page(self) -> bool:
        """Whether there is a page, which is then drawn again when what it shows changes."""
        return self.page.is_file()

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def was_picked(self) -> bool:
        """Whether the run holds a network that was picked from another's search, and no search of its own."""
        return self.architecture.is_file() and not self.journal.is_file()

    def was_exported(self, graph_sha256: str) -> bool:
        """Whether the artifacts are those of the network with this hash, and not of one before it."""
        if not self.artifacts.is_dir() or not self.manifest.is_file():
            return False
        manifest = read_json(self.manifest)
        return isinstance(manifest, dict) and manifest.get("graph_sha256") == graph_sha256

    def forget_verdict(self) -> None:
        """Remove the verdict and the page, which speak of another network or of other files."""
        self.report.unlink(missing_ok=True)
        self.page.unlink(missing_ok=True)

    def settings(self) -> RunSettings:
        """Read ``run.toml``; raises ``InputError`` if it is missing or broken."""
        document = read_toml(self.settings_file)
        try:
            return RunSettings.model_validate(document)
        except ValidationError as error:
            raise InputError(
                f"{self.settings_file} is broken: {_first(error)}; start a new run with `search`"
            ) from error

    def profile(self) -> Profile:
        """Read the resolved profile that the run was made for; raises ``InputError`` if it is missing or broken."""
        return from_document(read_json(self.profile_file), self.profile_file)

    def budget(self) -> Budget:
        """What the run's network may take: the profile's budget, narrowed as the settings say."""
        return self.settings().budget(self.profile())

    def search_budget(self) -> Budget:
        """What the search kept to, whatever a training has narrowed since."""
        return budget(self.profile(), **self.settings().limits.model_dump())

    def dataset(self) -> Dataset:
        """Load the data set of the settings; raises ``InputError`` if it is not the one that the run began with."""
        from toolchain.datasets import load  # reading a run's settings must not cost the import of numpy

        chosen = self.settings().data
        data = load(
            chosen.source,
            size=chosen.size,
            channels=chosen.channels,
            crop=chosen.crop,
            seed=chosen.seed,
            limit=chosen.limit,
            frames=chosen.frames,
        )
        if chosen.sha256 not in (None, data.sha256):
            raise InputError(
                f"the data set {data.name} is not what it was when {self.path} began; restore it or start a new run"
            )
        return data

    def save_settings(self, settings: RunSettings, profile: Profile | None = None) -> None:
        """Write ``run.toml`` and, where given, the profile."""
        if profile is not None:
            write_json(self.profile_file, profile.model_dump(mode="json"))
        write_atomic(self.settings_file, tomli_w.dumps(settings.model_dump(exclude_none=True)))

    def schedule(self) -> Schedule:
        """By what schedule the C sources run the network, as the manifest says.

        Raises ``InputError`` if that is none.
        """
        manifest = read_json(self.manifest) if self.manifest.is_file() else None
        known = manifest if isinstance(manifest, dict) else {}
        return schedule(known.get("schedule", DEFAULT_SCHEDULE), str(self.manifest))

    def write_manifest(self, facts: dict[str, Any]) -> None:
        """Record versions, ``facts`` and the size and hash of every artifact."""
        artifacts = sorted(path for path in self.artifacts.rglob("*") if path.is_file())
        write_json(
            self.manifest,
            {
                "schema": "spikenas-manifest/1",
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "python": ".".join(map(str, sys.version_info[:3])),
                "packages": {name: found for name in PACKAGES if (found := _version(name))},
                "settings": self.settings().model_dump(mode="json"),
                **facts,
                "artifacts": {
                    path.relative_to(self.path).as_posix(): {
                        "size_bytes": path.stat().st_size,
                        "sha256": sha256(path),
                    }
                    for path in artifacts
                },
            },
        )


def search_did_not_end(run: RunFolder, missing: Path) -> InputError:
    """What to say where ``missing``, which a search leaves behind, is needed."""
    return InputError(
        f"{run.path} has no {missing.name}, because its search did not end; "
        f"go on with it: spikenas-deploy search --resume {run.path}"
    )


def untrained(run: RunFolder) -> InputError:
    """What to say where the trained network of ``run`` is needed, and there is none."""
    if not run.architecture.is_file() and not run.imported.is_file():
        return search_did_not_end(run, run.architecture)
    return InputError(f"{run.path} has no trained network yet; run `spikenas-deploy train {run.path}` first")


def create(out: Path | None, profile: Profile, settings: RunSettings) -> RunFolder:
    """Start a run in ``out``, or in a new folder under ``runs``.

    Raises ``InputError`` if ``out`` holds a run already or something else: nothing is overwritten.
    """
    if out is None:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        out = RUNS / f"{stamp}-{profile.name}"
        for attempt in range(2, 100):
            if not out.exists():
                break
            out = RUNS / f"{stamp}-{profile.name}-{attempt}"
    run = RunFolder(out)
    # os.path, because Path.exists raises for a path that is longer than the system allows; writing then tells.
    if os.path.exists(out) and (not out.is_dir() or any(map(_is_foreign, out.iterdir()))):
        if run.journal.is_file() and not run.training.is_file():
            raise InputError(
                f"{out} holds a run that did not end; go on with it: spikenas-deploy search --resume {out}; "
                "or give --out a new folder"
            )
        raise InputError(f"{out} exists and is not empty; give --out a new folder, or remove it first")
    run.save_settings(settings, profile)
    return run


def _is_foreign(path: Path) -> bool:
    """Whether ``path`` may not lie in a folder of a run that was killed before it had settings."""
    return path.name != "profile.json" and not path.name.startswith((".profile.json.", ".run.toml."))


def find(path: Path | None, *, ended: bool = True) -> RunFolder:
    """Open the run in ``path``, or the newest under ``runs``; with ``ended`` the newest whose search has ended.

    Raises ``InputError`` if there is none.
    """
    if path is None:
        every = (RunFolder(file.parent) for file in RUNS.glob("*/run.toml"))
        # Without an architecture there is nothing to train, export or check: its search was cut short.
        found = [run for run in every if not ended or run.architecture.is_file() or run.imported.is_file()]
        if not found:
            raise InputError(
                f"there is no run under {RUNS}/; start one with `spikenas-deploy search` or name a folder"
            )
        return max(found, key=lambda run: run.settings_file.stat().st_mtime_ns)
    run = RunFolder(path)
    # os.path, because Path.is_file raises for a path that is longer than the system allows.
    if not os.path.isfile(run.settings_file):
        raise InputError(
            f"{path} is not a run folder (it has no run.toml); give the folder that `search` wrote"
        )
    return run


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
