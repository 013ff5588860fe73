"""Commands in processes of their own, to be killed; and what may not depend on whether they were."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from toolchain.runs import RunFolder

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 240
CLOCKS = ("seconds", "elapsed_s", "images_a_second", "core_seconds")
"""Keys of what a clock measured."""

QUICK = (
    "import sys\n"
    "from tests.toolchain.search.short import short_trainings\n"
    "from toolchain.cli.main import main\n"
    "with short_trainings():\n"
    "    sys.exit(main())\n"
)
"""The command line with candidates that train for a few steps, in this process alone."""


class Command:
    """``spikenas-deploy`` with these arguments, as the leader of a process group, as a terminal starts it."""

    def __init__(self, folder: Path, *arguments: str, quick: bool = False) -> None:
        program = ["-c", QUICK] if quick else ["-m", "toolchain.cli.main"]
        self.words = folder / f"stderr-{time.monotonic_ns()}"
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with self.words.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it has said on stderr."""
        return self.words.read_text()

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, as Ctrl-C does."""
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Wait; the exit status, negative where a signal ended it."""
        return self.process.wait(PATIENCE_SECONDS)

    def wait_for(self, words: str) -> None:
        """Wait until it has said ``words``."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.said:
            assert not self.ended, f"ended before it said {words!r}:\n{self.said}"
            assert time.monotonic() < deadline, f"did not say {words!r} in time:\n{self.said}"
            time.sleep(POLL_SECONDS)


def life(run: RunFolder) -> int:
    """What a run has kept so far: lines of the journal, the training's beginning and its epochs."""
    lived = run.journal.read_bytes().count(b"\n") if run.journal.is_file() else 0
    try:
        return lived + 1 + len(unfinished(run)["history"])
    except FileNotFoundError:  # there is no training, or no longer
        return lived


def unfinished(run: RunFolder) -> Any:
    """The position of a training that did not end, without reading its tensors."""
    with run.unfinished_training.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return json.loads(header["__metadata__"]["training"])["position"]


def outcome(run: RunFolder) -> dict[str, Any]:
    """All that a run comes to: hashes of its files, and its journal and reports without what a clock measured."""
    files = (run.model, run.weights, run.checkpoint, run.architecture, run.settings_file)
    found: dict[str, Any] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    found |= {path.name: _timeless(json.loads(path.read_text())) for path in (run.search, run.training)}
    if run.journal.is_file():
        lines = [_timeless(json.loads(line)) for line in run.journal.read_text().splitlines()]
        # Jobs are written as they end, which side by side they do in any order.
        found["jobs"] = sorted(json.dumps(line, sort_keys=True) for line in lines if line["kind"] == "job")
        found["decisions"] = [line for line in lines if line["kind"] != "job"]
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in CLOCKS}
    return [_timeless(each) for each in value] if isinstance(value, list) else value
