"""Programs are run without a shell, end in time, and are told when they fail; what was begun is undone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from toolchain.errors import InputError, OutputsDifferError
from toolchain.flashing.steps import Action, Command, Plan, compare, expect, run

PYTHON = sys.executable


def quiet(message: str) -> None:
    pass


def test_words_are_no_shell_s(tmp_path: Path) -> None:
    words = ("a b", "$(touch x)", "; touch y", "`z`", "*")
    said = run((PYTHON, "-c", "import sys; print(sys.argv[1:], sys.stdin.read())", *words), 20)
    assert said == f"{list(words)} \n"


def test_a_program_that_hangs_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    child = f"import time\nwhile True:\n open({str(alive)!r}, 'w').write(str(time.time()))\n time.sleep(0.02)"
    parent = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(InputError, match=r"did not end within 1\.5 s and was stopped"):
        run((PYTHON, "-c", parent), 1.5)
    assert time.monotonic() - began < 10 and alive.exists()
    before = alive.read_text()
    time.sleep(0.3)
    assert alive.read_text() == before


def test_a_program_that_ignores_the_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.flashing.steps._GRACE_S", 0.3)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(InputError, match="did not end"):
        run((PYTHON, "-c", stubborn), 1)
    assert time.monotonic() - began < 10


def test_failure_and_absence_are_one_sentence() -> None:
    with pytest.raises(InputError, match="failed with exit code 7: first / last"):
        run((PYTHON, "-c", "import sys; print('first'); print('last', file=sys.stderr); sys.exit(7)"), 20)
    with pytest.raises(InputError, match="cannot be run"):
        run(("/nowhere/tool",), 20)


def test_a_judge_and_a_harmless_failure() -> None:
    with pytest.raises(InputError, match="tool did not say 'Done': it printed nothing"):
        Command((PYTHON, "-c", ""), 20, expect("tool", "Done")).run(quiet)
    told: list[str] = []
    Command((PYTHON, "-c", "import sys; sys.exit(1)"), 20, else_say="reset the board").run(told.append)
    assert told[-1] == "reset the board"


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"abcX", "from byte 3 on"), (b"ab", "only 2 of 4"), (None, "only 0 of 4")]
)
def test_what_came_back_is_compared(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "back"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OutputsDifferError, match=sentence):
        compare(path, b"abcd", "the board").run(quiet)
    assert not path.exists()
    path.write_bytes(b"abcd and the rest of the sector")
    compare(path, b"abcd", "the board").run(quiet)


@pytest.mark.parametrize("error", [InputError("broken"), KeyboardInterrupt()])
def test_a_failing_step_is_undone_and_told(error: BaseException) -> None:
    done: list[str] = []

    def fail(_: object) -> None:
        raise error

    undo = (
        Action("first", lambda _: done.append("first")),
        Action("fails", lambda _: (_ for _ in ()).throw(InputError("no"))),
        Action("last", lambda _: done.append("last")),
    )
    plan = Plan("tool", (Action("a", fail), Action("b", lambda _: done.append("b"))), (), "", undo)
    with pytest.raises(type(error)):
        plan.run(quiet)
    assert done == ["first", "last"]
