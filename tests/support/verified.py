"""Runs that were exported and verified, for tests of what may follow: small networks for the built-in digits."""

from __future__ import annotations

from pathlib import Path

from tests.toolchain.cli.test_verify import network
from toolchain import profiles, runs
from toolchain.delivery import export_run, verify_run
from toolchain.graph.storage import save_graph
from toolchain.profiles.schema import Profile
from toolchain.runs import RunFolder
from toolchain.settings import RunSettings


def verified_run(folder: Path, board: str | Profile) -> RunFolder:
    """A run for ``board`` in ``folder``, with artifacts in its default formats and a passed verdict of three images."""
    profile = profiles.load(board) if isinstance(board, str) else board
    run = runs.create(folder, profile, RunSettings())
    save_graph(network(), run.path)
    export_run(run, (), progress=_quiet)
    verdict = verify_run(run, samples=3, progress=_quiet)
    assert verdict.passed, verdict.failures
    return run


def _quiet(message: str) -> None:
    pass
