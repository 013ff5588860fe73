"""Entry point: finds the verb, turns every error into one sentence on stderr and the documented exit code.

Exit codes: 0 fine, 1 bug, 2 usage, 3 bad input, 4 over budget, 5 outputs differ, 6 a needed tool is
missing, 130 interrupted; 141 when whatever read our output has gone, as the shell reports it for any program.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from toolchain import __version__
from toolchain.cli.console import printable
from toolchain.cli.lazy import LazyGroup
from toolchain.errors import InputError, Interrupted, SpikenasError, ToolMissingError

PROGRAM = "spikenas-deploy"
OUTPUT_CLOSED = 141
CANNOT_WRITE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT)
OUR_PACKAGES = ("toolchain", "exporters", "hardware_profiles")

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a board's limits to a spiking neural network, proven to fit and to compute what was trained."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code; ``arguments`` defaults to ``sys.argv[1:]``.

    With ``--json`` among the arguments an error is also printed on stdout, as ``{"error": {...}}``.
    ``SPIKENAS_DEBUG=1`` adds the traceback of an unexpected one.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        # A locale that cannot encode a character shows its escape instead of ending the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _outcome(arguments)
        sys.stdout.flush()
        return code
    except OSError as error:
        # The interpreter flushes again when it ends; that must find somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return OUTPUT_CLOSED
        return _fail(f"cannot write the output: {error.strerror}", "InputError", InputError.exit_code, False)


def _outcome(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(app)
        result = command.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
        code = result if isinstance(result, int) else 0
        return _interrupted(as_json) if code == Interrupted.exit_code else code
    except SystemExit as error:
        # typer and rich leave by themselves when the reader of a pipe has gone.
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(as_json)
    except typer.TyperException as error:
        return _usage(error, as_json)
    except SpikenasError as error:
        return _fail(str(error), type(error).__name__, error.exit_code, as_json)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", *OUR_PACKAGES):
            return _bug(error, as_json)
        missing = ToolMissingError(
            f"the Python package {package} is not installed; `{PROGRAM} doctor` says how to install it"
        )
        return _fail(str(missing), type(missing).__name__, missing.exit_code, as_json)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in CANNOT_WRITE:
            raise
        return _bug(error, as_json)


def _interrupted(as_json: bool) -> int:
    """The end by Ctrl-C where there is nothing to go on with."""
    return _fail("interrupted", Interrupted.__name__, Interrupted.exit_code, as_json)


def _fail(message: str, kind: str, code: int, as_json: bool) -> int:
    # Who pressed Ctrl-C has made no error.
    begin = "" if code == Interrupted.exit_code else "error: "
    print(f"{begin}{printable(message)}", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps({"error": {"type": kind, "message": message, "exit_code": code}}, indent=2))
    return code


def _usage(error: typer.TyperException, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.message, file=sys.stderr)
        return error.exit_code
    code = _fail(error.format_message(), "UsageError", error.exit_code, as_json)
    if context is not None:
        print(f"Try '{context.command_path} --help'.", file=sys.stderr)
    return code


def _bug(error: Exception, as_json: bool) -> int:
    if os.environ.get("SPIKENAS_DEBUG") == "1":
        traceback.print_exception(error)
    root = Path(__file__).resolve().parents[2]
    ours = [
        f"{Path(frame.filename).relative_to(root)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if any(Path(frame.filename).is_relative_to(root / package) for package in OUR_PACKAGES)
    ]
    message = (
        f"unexpected {type(error).__name__} at {ours[-1]} ({error}); "
        "this is a bug, please report it with the command and the traceback that SPIKENAS_DEBUG=1 prints"
    )
    return _fail(message, "Bug", 1, as_json)


if __name__ == "__main__":
    sys.exit(main())
