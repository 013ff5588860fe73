"""What the parts of a verification share: the network, the images with their expected scores, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporters.metadata import MAX_ARTIFACT_BYTES
from toolchain.datasets.dataset import Targets
from toolchain.errors import InputError, OutputsDifferError, OverBudgetError
from toolchain.files import sha256
from toolchain.graph.graph import Graph
from toolchain.profiles.budget import Budget
from toolchain.profiles.schema import Profile
from toolchain.schedules import DEFAULT_SCHEDULE, Schedule
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.comparison import Comparison, compare, sentence
from toolchain.verification.divergence import Traceable, divergence
from toolchain.verification.linux_cost import LinuxCost
from toolchain.verification.runtimes.base import Named
from toolchain.verification.verdict import Artifact, BoardReport, Cause, ConsoleRun, Failure, FirmwareReport


@dataclass
class Bench:
    """``images`` uint8 [n, C, H, W], ``targets`` as in a ``Subset``, ``expected`` int32 [n, classes] of the reference.

    ``sampled`` says that the user chose the number of images; otherwise a slow runtime may take fewer.
    """

    artifacts: Path
    graph: Graph
    profile: Profile
    limits: Budget
    images: NDArray[np.uint8]
    targets: Targets
    expected: NDArray[np.int32]
    sampled: bool
    progress: Callable[[str], None]
    schedule: Schedule = DEFAULT_SCHEDULE
    files: list[Artifact] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    firmware: list[FirmwareReport] = field(default_factory=list)
    budget: list[BudgetLine] = field(default_factory=list)
    costs: list[LinuxCost] = field(default_factory=list)
    consoles: list[ConsoleRun] = field(default_factory=list)
    boards: list[BoardReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def present(self, name: str) -> Path | None:
        """The artifact ``name`` if the run has it, recorded with its size and hash.

        Raises ``InputError``, before reading it, if it is larger than any artifact that is exported.
        """
        path = self.artifacts / name
        if not path.is_file():
            return None
        size = path.stat().st_size
        if size > MAX_ARTIFACT_BYTES:
            raise InputError(
                f"{path} has {size:,} bytes, more than the {MAX_ARTIFACT_BYTES:,} that an artifact may have; "
                "run `spikenas-deploy export` again"
            )
        self.files.append(Artifact(name, size, sha256(path)))
        return path

    def compare(self, artifact: str, runtime: Named, got: NDArray[np.int32]) -> None:
        """Compare ``runtime``'s scores of the first images with the reference's."""
        count = len(got)
        found = compare(
            artifact,
            runtime.name,
            runtime.evidence,
            self.expected[:count],
            got,
            self.targets[:count],
            self.graph.labels,
            self.graph.values if self.graph.task == "regression" else None,
        )
        if (
            found.first is not None
            and got.shape == self.expected[:count].shape
            and isinstance(runtime, Traceable)
        ):
            spikes = divergence(self.graph, runtime, self.images, found.first.image)
            found = replace(found, spikes=spikes)
        self.comparisons.append(found)
        if found.differing:
            self.fail("differs", sentence(found))

    def require_own(self, path: Path, facts: dict[str, Any]) -> None:
        """Record a failure if the ``facts`` of the artifact ``path`` are of another network than the run's."""
        if facts["graph_sha256"] != self.graph.sha256():
            self.fail(
                "broken",
                f"{path} was exported from another network than this run's model.json; export it again",
            )

    def hold(self, lines: list[BudgetLine]) -> None:
        """Add lines of the budget, and a failure for each that is over."""
        self.budget += lines
        for line in lines:
            if line.over:
                self.fail("over_budget", line.over)
            if line.warning:
                self.notes.append(line.warning)

    def fail(self, cause: Cause, message: str) -> None:
        """Record why the verdict is not passed."""
        self.failures.append(Failure(cause, message))

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record an artifact that is broken, differs or is too large, and go on with the next one."""
        try:
            yield
        except InputError as error:
            self.fail("broken", str(error))
        except OutputsDifferError as error:
            self.fail("differs", str(error))
        except OverBudgetError as error:
            self.fail("over_budget", str(error))
