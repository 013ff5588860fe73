"""Commands on hostile files, in a process that may take 1 GiB and 5 seconds for each, and dies if one takes more.

The seconds are the processor's, because other tests may run beside; waiting has a limit of its own.

python limited.py CASES.json     (one list of arguments a case; prints one JSON line a case)
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SECONDS, WAITING_S = 5.0, 30.0
GIBI = 1024**3


@dataclass(frozen=True)
class Outcome:
    """How a command ended: what it printed, and the lines of stderr that are errors."""

    arguments: list[str]
    code: int
    out: str
    errors: list[str]
    seconds: float
    peak_bytes: int

    @property
    def refused(self) -> bool:
        """In a sentence a cause, with exit code 3, and with nothing unexpected."""
        good = all(
            len(line) < 700 and "this is a bug" not in line and line.isprintable() for line in self.errors
        )
        return self.code == 3 and bool(self.errors) and good and self.peak_bytes < GIBI


def outcomes(
    folder: Path, commands: list[list[object]], address_space: int = GIBI, seconds: float = SECONDS
) -> list[Outcome]:
    """Run every command under the limits; the test fails if one exceeds them."""
    cases = folder / "cases.json"
    cases.write_text(json.dumps([[str(part) for part in command] for command in commands]))
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, str(cases), str(address_space), str(seconds)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=60 + seconds * len(commands),
    )
    found = [Outcome(**json.loads(line)) for line in done.stdout.splitlines()]
    assert len(found) == len(commands), (
        f"{commands[len(found)]} ended the process with {done.returncode} "
        f"({signal.strsignal(-done.returncode) if done.returncode < 0 else done.stderr[-500:]})"
    )
    return found


def main(cases: str, address_space: str, seconds: str) -> None:
    """Run the cases in this process, one after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (int(address_space), int(address_space)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from toolchain.cli import main as command_line

    for arguments in json.loads(Path(cases).read_text()):
        out, err = io.StringIO(), io.StringIO()
        began = time.process_time()
        # The signals' default action ends the process, even where Python does not come to run.
        signal.setitimer(signal.ITIMER_PROF, float(seconds))
        signal.setitimer(signal.ITIMER_REAL, WAITING_S)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command_line.main(arguments)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        lines = [line for line in err.getvalue().splitlines() if line.startswith(("error: ", "Traceback"))]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        outcome = Outcome(arguments, code, out.getvalue(), lines, time.process_time() - began, peak)
        print(json.dumps(vars(outcome)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
