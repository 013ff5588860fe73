"""What a report is made from: the files of a run, each read if it is there; nothing here is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from toolchain.architecture.build import build
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.architecture.storage import load_architecture
from toolchain.architecture.text import AnyArchitecture
from toolchain.errors import InputError
from toolchain.files import read_json
from toolchain.graph.graph import Graph
from toolchain.graph.storage import load_graph
from toolchain.measures import Task
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule
from toolchain.settings import RunSettings
from toolchain.verification.verdict import Verdict, read_verdict

if TYPE_CHECKING:
    from toolchain.datasets import Dataset


MOST_CANDIDATES = 2_000
"""Candidates of a search that are shown; searches train some dozens."""

# No count or time of a real run is near these; beyond them a plot's scale would break.
Count = Annotated[int, Field(ge=0, le=1 << 53)]
Amount = Annotated[float, Field(ge=0, le=1e15)]
Quality = Annotated[float, Field(ge=-1e15, le=1)]


class _File(BaseModel):
    # A file may say more than a report shows.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class LimitLine(_File):
    """A limit of ``search.json``: bytes, milliseconds, millijoules or operations."""

    limit: str
    used: Amount
    available: Amount


class Counts(_File):
    """How many networks there were, how many broke which limit, and how many cells were scored."""

    space: Count
    dropped: dict[str, Count]
    scored: Count


class TrainedCandidate(_File):
    """A candidate of ``search.json`` that was trained."""

    id: str
    architecture: str
    roles: list[str]
    chosen: bool
    front: bool
    rung: Count
    steps: Count
    trainings: Count
    deviation: Amount | None
    held_out_images: Count
    quality: Quality = Field(validation_alias=AliasChoices("accuracy", "r2"))
    flash_bytes: Count | None = None
    sram_bytes: Count | None = None
    artifact_bytes: Count | None = None
    latency_ms: Amount | None = None
    operations: Amount | None = None


class SearchFile(_File):
    """``search.json``."""

    algorithm: str
    seconds: Amount
    demonstration: bool
    task: Task = "classification"
    candidates: Counts
    budget: list[LimitLine]
    trained: list[TrainedCandidate] = Field(max_length=MOST_CANDIDATES)


class TrainingFile(_File):
    """``training.json``; a network of the ``snasnet`` space has no integers, so their qualities are None."""

    task: Task = "classification"
    is_demonstration: bool
    at_chance: bool = False
    test_images: Count
    float_validation: Quality = Field(
        validation_alias=AliasChoices("float_validation_accuracy", "float_validation_r2")
    )
    float_test: Quality = Field(validation_alias=AliasChoices("float_test_accuracy", "float_test_r2"))
    validation: Quality | None = Field(validation_alias=AliasChoices("validation_accuracy", "validation_r2"))
    test: Quality | None = Field(validation_alias=AliasChoices("test_accuracy", "test_r2"))


class ManifestEntry(_File):
    """Size and hash of an exported file."""

    size_bytes: Count
    sha256: str


class ManifestFile(_File):
    """``manifest.json``."""

    created: str
    python: str
    packages: dict[str, str]
    targets: list[str] = []
    schedule: Schedule = DEFAULT_SCHEDULE
    artifacts: dict[str, ManifestEntry]


@dataclass(frozen=True)
class Sources:
    """A run as far as it got; ``data_problem`` says why its data cannot be shown, ``verdict_problem`` why its verdict
    does not count. ``graph`` has no weights before the training, and is None in the ``snasnet`` space.
    """

    run: RunFolder
    settings: RunSettings
    profile: Profile
    limits: Budget
    architecture: AnyArchitecture | None
    graph: Graph | None
    data: Dataset | None
    search: SearchFile | None
    training: TrainingFile | None
    manifest: ManifestFile | None
    verdict: Verdict | None
    data_problem: str | None
    verdict_problem: str | None

    @property
    def schedule(self) -> Schedule:
        """By what schedule the firmware runs the network."""
        return self.manifest.schedule if self.manifest else DEFAULT_SCHEDULE

    @property
    def is_float(self) -> bool:
        """Whether the network is of the ``snasnet`` space, which has no integers."""
        return isinstance(self.architecture, SnasnetArchitecture)

    @property
    def is_trained(self) -> bool:
        """Whether there is a trained network."""
        return self.training is not None or self.graph is not None and self.graph.has_weights

    @property
    def is_exported(self) -> bool:
        """Whether there are artifacts of the network that the run has now."""
        if self.is_float or self.graph is None:
            return self.run.artifacts.is_dir()
        return self.run.was_exported(self.graph.sha256())

    @property
    def state(self) -> Literal["searching", "searched", "trained", "exported", "verified", "failed"]:
        """How far the run got."""
        if self.verdict is not None:
            return "verified" if self.verdict.passed else "failed"
        if self.architecture is None and not self.is_trained:
            return "searching"
        if not self.is_trained:
            return "searched"
        return "exported" if self.is_exported else "trained"


def read(run: RunFolder) -> Sources:
    """Read every file of ``run``; raises ``InputError`` if one is broken. Data that cannot be had are no error."""
    settings, profile = run.settings(), run.profile()
    architecture = load_architecture(run.architecture) if run.architecture.is_file() else None
    data, problem = _data(run, architecture is not None or run.model.is_file())
    graph = load_graph(run.path) if run.model.is_file() else _untrained(architecture, data)
    verdict, verdict_problem = _verdict(run, graph, profile)
    return Sources(
        run=run,
        settings=settings,
        profile=profile,
        limits=settings.budget(profile),
        architecture=architecture,
        graph=graph,
        data=data,
        search=_file(run.search, SearchFile),
        training=_file(run.training, TrainingFile),
        manifest=_file(run.manifest, ManifestFile),
        verdict=verdict,
        data_problem=problem,
        verdict_problem=verdict_problem,
    )


def _data(run: RunFolder, needed: bool) -> tuple[Dataset | None, str | None]:
    if not needed:
        return None, None
    try:
        return run.dataset(), None
    except InputError as error:
        return None, str(error)


def _untrained(architecture: AnyArchitecture | None, data: Dataset | None) -> Graph | None:
    if architecture is None or data is None or isinstance(architecture, SnasnetArchitecture):
        return None
    return build(architecture, data.pixels, data.preprocessing, data.labels, data.shifts)


def _verdict(run: RunFolder, graph: Graph | None, profile: Profile) -> tuple[Verdict | None, str | None]:
    if not run.report.is_file() or graph is None:
        return None, None
    found = read_verdict(run.report)
    if found.graph_sha256 != graph.sha256():
        return None, "the verdict in report.json is on another network than the run has now"
    if found.profile != profile.name:
        return None, f"the verdict in report.json is for {found.profile}, not for {profile.name}"
    return found, None


_Read = TypeVar("_Read", bound=_File)


def _file(path: Path, kind: type[_Read]) -> _Read | None:
    if not path.is_file():
        return None
    try:
        return kind.model_validate(read_json(path))
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise InputError(f"{path} is broken: {where}: {detail['msg']}; make the run again") from error
