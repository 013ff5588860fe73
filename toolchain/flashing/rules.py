"""What must be true of a run before anything of it is written to a board; one small function a rule.

Each raises one sentence: ``InputError`` (exit code 3), but a verdict that failed ends with the code of its own failure
(4 over budget, 5 integers or footprint differ).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toolchain.errors import InputError
from toolchain.files import read_json, sha256
from toolchain.graph.storage import load_graph
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.verification.verdict import Verdict, profile_sha256, read_verdict


@dataclass(frozen=True)
class Evidence:
    """What a run says of itself; read once, whatever rule asks first."""

    run: RunFolder

    @cached_property
    def verdict(self) -> Verdict:
        """``report.json``."""
        return read_verdict(self.run.report)

    @cached_property
    def profile(self) -> Profile:
        """The board that the run was made for."""
        return self.run.profile()

    @cached_property
    def files(self) -> dict[str, Path]:
        """Every file below ``artifacts`` by its name there; a link is no file of the run."""
        folder = self.run.artifacts
        found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(folder).as_posix(): path for path in found}


def verdict_is_there(evidence: Evidence) -> None:
    """The run was verified."""
    run = evidence.run
    if run.report.is_file():
        return
    if run.model.is_file() and not run.was_exported(load_graph(run.path).sha256()):
        raise InputError(
            f"{run.path} has no artifacts of the network that it holds now; "
            f"run `spikenas-deploy export {run.path}` first, which also verifies them"
        )
    raise InputError(f"{run.path} was never verified; run `spikenas-deploy verify {run.path}` first")


def verdict_is_passed(evidence: Evidence) -> None:
    """The verdict is passed."""
    error = evidence.verdict.error()
    if error is not None:
        raise type(error)(f"{evidence.run.path} failed its verification, so it is not flashed: {error}")
    if read_json(evidence.run.report).get("passed") is not True or not evidence.verdict.comparisons:
        raise InputError(
            f"{evidence.run.report} does not say that anything passed; run `spikenas-deploy verify` again"
        )


def verdict_is_for_this_board(evidence: Evidence) -> None:
    """The verdict was given for the board of the run, with every number as it is now."""
    verdict, profile = evidence.verdict, evidence.profile
    if verdict.profile != profile.name or verdict.profile_sha256 != profile_sha256(profile):
        raise InputError(
            f"{evidence.run.report} is a verdict for {verdict.profile!r:.60} as its profile was then, not for "
            f"{profile.name} as {evidence.run.profile_file} has it; run `spikenas-deploy verify` again"
        )


def verdict_is_for_this_network(evidence: Evidence) -> None:
    """The verdict was given for the network that the run holds now."""
    if evidence.verdict.graph_sha256 != load_graph(evidence.run.path).sha256():
        raise InputError(
            f"{evidence.run.report} is a verdict for another network than {evidence.run.model}; "
            "run `spikenas-deploy export` again"
        )


def artifacts_are_those_verified(evidence: Evidence) -> None:
    """Every artifact of the verdict has the size and the hash that it was verified with."""
    for artifact in evidence.verdict.artifacts:
        _require_same(evidence, artifact.name, artifact.size_bytes, artifact.sha256, "verified")


def artifacts_are_those_exported(evidence: Evidence) -> None:
    """Every artifact of the manifest has the size and the hash that it was exported with, and there is no other."""
    manifest = read_json(evidence.run.manifest)
    listed = manifest.get("artifacts") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or not all(_is_entry(entry) for entry in listed.values()):
        raise InputError(f"{evidence.run.manifest} lists no artifacts; run `spikenas-deploy export` again")
    for name, entry in listed.items():
        _require_same(
            evidence, name.removeprefix("artifacts/"), entry["size_bytes"], entry["sha256"], "exported"
        )
    strange = sorted(evidence.files.keys() - {name.removeprefix("artifacts/") for name in listed})
    if strange:
        raise InputError(
            f"{evidence.run.artifacts / strange[0]} was not exported with this run; remove it, or export again"
        )


RULES: tuple[Callable[[Evidence], None], ...] = (
    verdict_is_there,
    verdict_is_passed,
    verdict_is_for_this_board,
    verdict_is_for_this_network,
    artifacts_are_those_verified,
    artifacts_are_those_exported,
)
"""In this order: a later rule may count on the ones before it."""


def require_all(evidence: Evidence) -> None:
    """Hold every rule; raises what the first that is broken raises."""
    for rule in RULES:
        rule(evidence)


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and type(entry.get("size_bytes")) is int
        and isinstance(entry.get("sha256"), str)
    )


def _require_same(evidence: Evidence, name: str, size_bytes: int, digest: str, when: str) -> None:
    # The name comes from a file: it is looked up among those that are there, and is no path to be opened.
    path = evidence.files.get(name)
    if path is None:
        raise InputError(
            f"{evidence.run.artifacts} has no {name!r:.80}, which was {when}; run `spikenas-deploy export` again"
        )
    if path.stat().st_size != size_bytes or sha256(path) != digest:
        raise InputError(
            f"{path} is not what was {when}: its size or its hash is another; run `spikenas-deploy export` again"
        )
