"""Finding and running the C compilers: zig (from pip) or gcc, for the target and for this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from exporters.c.cores import Compiler
from toolchain.errors import InputError, ToolMissingError

TIMEOUT_SECONDS = 300
"""Most that one call of a compiler may take; zig's first run unpacks and builds what it needs."""

_INSTALL = {
    "zig": "install it with `pip install 'spikenas-deploy[mcu]'`",
    "gcc": "install it with your system's packages, on Debian and Ubuntu `apt install gcc-arm-none-eabi`",
}


def available() -> list[Compiler]:
    """The Arm compilers that are installed here, the default one first."""
    found = {
        "zig": importlib.util.find_spec("ziglang") is not None,
        "gcc": shutil.which("arm-none-eabi-gcc") is not None,
    }
    return [name for name in get_args(Compiler) if found[name]]


def arm_command(compiler: Compiler | None) -> tuple[Compiler, list[str]]:
    """The wanted Arm compiler, or the first that is installed, and how to call it.

    Raises ``ToolMissingError`` saying how to install it.
    """
    installed = available()
    if compiler is None:
        if not installed:
            raise ToolMissingError(
                f"no compiler for Arm is installed; {_INSTALL['zig']}, or {_INSTALL['gcc']}"
            )
        compiler = installed[0]
    elif compiler not in installed:
        raise ToolMissingError(f"the {compiler} compiler for Arm is not installed; {_INSTALL[compiler]}")
    return compiler, ["arm-none-eabi-gcc"] if compiler == "gcc" else _zig()


def host_command() -> list[str]:
    """How to call a compiler for this machine; raises ``ToolMissingError`` if there is none."""
    for name in ("gcc", "cc", "clang"):
        if shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang") is not None:
        return _zig()
    raise ToolMissingError(f"no C compiler for this machine is installed; zig is one: {_INSTALL['zig']}")


def version(compiler: Compiler) -> str:
    """Version of an Arm compiler, such as ``12.2.1``."""
    _, command = arm_command(compiler)
    argument = "version" if compiler == "zig" else "-dumpfullversion"
    return run([*(command[:-1] if compiler == "zig" else command), argument], Path.cwd()).stdout.strip()


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a compiler in ``folder`` and return what it said, whatever its exit status.

    Raises ``InputError`` if it does not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="spikenas-zig-") as cache:
        environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": cache, "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}
        try:
            return subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{command[0]} did not end within {TIMEOUT_SECONDS} s; run it again on an idle machine"
            ) from error


def first_error(output: str) -> str:
    """The line of a compiler's output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next(
        (line for line in lines if re.search(r"\berror\b", line)), lines[-1] if lines else "no message"
    )


def _zig() -> list[str]:
    return [sys.executable, "-m", "ziglang", "cc"]
