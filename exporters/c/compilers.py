"""Finding and running the C compilers: zig (from pip) or gcc, for the target and for this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from toolchain.cost.code_size import Compiler
from toolchain.errors import InputError, ToolMissingError

TIMEOUT_SECONDS = 300
"""Longest that one call of a compiler may take."""

_INSTALL: dict[Compiler, str] = {
    "zig": "install it with `pip install 'spikenas-deploy[mcu]'`",
    "gcc": "install it with your system's packages, on Debian and Ubuntu `apt install gcc-arm-none-eabi`",
}


def available() -> list[Compiler]:
    """The Arm compilers that are installed here, in the order of preference."""
    return [compiler for compiler in get_args(Compiler) if _arm_program(compiler) is not None]


def arm_command(compiler: Compiler | None) -> tuple[Compiler, list[str]]:
    """The wanted Arm compiler, or the first that is installed, and how to call it.

    Raises ``ToolMissingError`` saying how to install it, ``InputError`` if none is called so.
    """
    if compiler is not None and compiler not in get_args(Compiler):
        raise InputError(
            f"no compiler is called {compiler!r:.40}; {' and '.join(get_args(Compiler))} are known"
        )
    for candidate in get_args(Compiler) if compiler is None else (compiler,):
        program = _arm_program(candidate)
        if program is not None:
            return candidate, [program, "cc"] if candidate == "zig" else [program]
    if compiler is None:
        raise ToolMissingError(
            f"no compiler for Arm is installed; zig is one: {_INSTALL['zig']}; gcc is another: {_INSTALL['gcc']}"
        )
    raise ToolMissingError(f"the {compiler} compiler for Arm is not installed; {_INSTALL[compiler]}")


def host_command() -> list[str]:
    """How to call a compiler for this machine; raises ``ToolMissingError`` if there is none."""
    for name in ("gcc", "clang", "cc"):
        if program := shutil.which(name):
            return [program]
    if zig := _arm_program("zig"):
        return [zig, "cc"]
    raise ToolMissingError(f"no C compiler for this machine is installed; zig is one: {_INSTALL['zig']}")


def version(compiler: Compiler) -> str:
    """Version of an installed Arm compiler, such as ``12.2.1``; raises ``ToolMissingError`` if it is not installed."""
    _, command = arm_command(compiler)
    asked = [command[0], "version"] if compiler == "zig" else [*command, "-dumpfullversion"]
    return run(asked, Path.cwd()).stdout.strip()


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a compiler in ``folder`` and return what it said, whatever its exit status.

    Raises ``InputError`` if it does not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="spikenas-zig-") as cache:
        environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": cache, "LC_ALL": "C"}
        if not environment.keys() & {"HOME", "XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR"}:
            environment["ZIG_GLOBAL_CACHE_DIR"] = cache
        try:
            return subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{command[0]} did not end within {TIMEOUT_SECONDS} s; run it again when the machine is idle"
            ) from error


def first_error(output: str) -> str:
    """The line of a compiler's or linker's output that says what is wrong, without the program's own path."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("collect2")]
    line = next(
        (line for line in lines if re.search(r"\berror\b", line)), lines[-1] if lines else "no message"
    )
    return re.sub(r"^\S*/(?=\S*ld: )", "", line)


def _arm_program(compiler: Compiler) -> str | None:
    if compiler == "gcc":
        return shutil.which("arm-none-eabi-gcc")
    # Called directly: `python -m` would first look for the module in the folder that is compiled.
    package = importlib.util.find_spec("ziglang")
    folders = list(package.submodule_search_locations or ()) if package else []
    return shutil.which("zig", path=os.pathsep.join(folders)) if folders else None
