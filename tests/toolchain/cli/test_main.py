from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from toolchain import __version__
from toolchain.cli import lazy
from toolchain.cli.main import main
from toolchain.errors import InputError, OutputsDifferError, OverBudgetError, ToolMissingError

PROGRAM = [sys.executable, "-m", "toolchain.cli.main"]


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``verb(function)`` makes ``spikenas-deploy probe`` run that function, loaded as a verb's module would be."""

    def install(command: Any) -> None:
        module = ModuleType("toolchain.cli.probe")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "toolchain.cli.probe", module)
        monkeypatch.setitem(lazy.VERBS, "probe", "A verb of the tests.")

    return install


def raising(error: BaseException) -> Any:
    def command(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return command


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_lists_every_verb_with_its_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    for name, line in lazy.VERBS.items():
        assert f"  {name}" in out and line.split(",")[0] in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"spikenas-deploy {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["profiles", "--help"], ["check", "--help"]]
)
def test_quick_answers_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom toolchain.cli.main import main\n"
        f"code = main({arguments!r})\n"
        "heavy = {'torch', 'snntorch', 'onnx', 'onnxruntime', 'tflite_runtime', 'ai_edge_litert', 'unicorn', 'PIL'}\n"
        "print('IMPORTED', sorted(heavy & set(sys.modules)))\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "IMPORTED []"


def test_top_level_help_imports_no_verb_and_no_numpy() -> None:
    script = (
        "import sys\nfrom toolchain.cli.main import main\nmain(['--help'])\n"
        "print(sorted(m for m in sys.modules if m.startswith('toolchain.') or m in ('numpy', 'pydantic')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == str(
        [
            "toolchain.cli",
            "toolchain.cli.console",
            "toolchain.cli.lazy",
            "toolchain.cli.main",
            "toolchain.errors",
            "toolchain.escapes",
        ]
    )


@pytest.mark.parametrize("name", lazy.VERBS)
def test_every_verb_loads_and_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: spikenas-deploy {name} ")


def test_no_arguments_show_the_help_as_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Commands:" in captured.err


def test_a_mistyped_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serch"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error: No such command 'serch'. Did you mean 'search'?\nTry 'spikenas-deploy --help'.\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError, 3), (OverBudgetError, 4), (OutputsDifferError, 5), (ToolMissingError, 6)],
)
def test_a_users_error_is_one_sentence_and_its_code(
    error: type[Exception], code: int, verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(error("what, where, how to mend it")))
    assert main(["probe"]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "error: what, where, how to mend it\n")
    assert main(["probe", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {
        "error": {"type": error.__name__, "message": "what, where, how to mend it", "exit_code": code}
    }


def test_a_usage_error_with_json(verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    verb(raising(InputError("never reached")))
    assert main(["probe", "--json", "--colour", "red"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def test_an_error_cannot_drive_the_terminal(verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    verb(raising(InputError("no profile '\x1b[2J\x07'")))
    assert main(["probe"]) == 3
    assert capsys.readouterr().err == "error: no profile '\\x1b[2J\\x07'\n"


def test_a_bug_says_where_and_asks_for_a_report(
    verb: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise ZeroDivisionError("by nothing")

    verb(command)
    assert main(["probe"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "ZeroDivisionError" in error and "report" in error
    assert "toolchain/cli/main.py:" in error and "Traceback" not in error
    monkeypatch.setenv("SPIKENAS_DEBUG", "1")
    assert main(["probe"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["torch", "onnxruntime.capi"])
def test_a_package_that_is_absent_is_a_missing_tool(
    package: str, verb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(raising(ModuleNotFoundError(f"No module named {package!r}", name=package)))
    assert main(["probe"]) == 6
    assert package.partition(".")[0] in capsys.readouterr().err


def test_a_module_of_ours_that_is_absent_is_a_bug(verb: Any) -> None:
    verb(raising(ModuleNotFoundError("No module named 'toolchain.gone'", name="toolchain.gone")))
    assert main(["probe"]) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interruption_is_130(error: BaseException, verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    verb(raising(error))
    assert main(["probe"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_verdict_keeps_its_output_and_its_code(verb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        print("over by 12 bytes")
        raise typer.Exit(4)

    verb(command)
    assert main(["probe"]) == 4
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("over by 12 bytes\n", "")


def test_a_reader_that_left_is_not_an_error() -> None:
    script = (
        "import sys\nfrom toolchain.cli import main as m\nm._outcome = lambda a: print('x' * 200_000) or 0\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script + "sys.exit(m.main([]))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_said_in_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 3
    assert done.stderr == "error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_any_locale_will_do(locale: str) -> None:
    environment = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([*PROGRAM, "gr\u00fc\u00df"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith(b"error: No such command")


def test_nothing_is_coloured_where_no_terminal_reads() -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    done = subprocess.run([*PROGRAM, "profiles", "list"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
