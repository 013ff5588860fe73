"""The inventory of this machine: every requirement of our own distribution and every system tool, checked.

The packages and their versions come from our installed metadata, so this list cannot differ from what pip
was told; only what each is for is written here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from toolchain.environment.probes import PROBES
from toolchain.errors import ToolMissingError

DISTRIBUTION = "spikenas-deploy"
CORE = "core"
SYSTEM = "system"
DEVELOPERS_ONLY = "dev"
PROBE_TIMEOUT_SECONDS = 120
TOOL_TIMEOUT_SECONDS = 20

PURPOSES = {
    "ai-edge-litert": "TFLite files: writes them and runs them",
    "capstone": "reads firmware's code, for the most stack that it needs",
    "flatbuffers": "TFLite files: their encoding",
    "jinja2": "templates of generated C sources and reports",
    "llvmlite": "compiled scores of a search: instructions that numba does not name",
    "matplotlib": "plots",
    "nir": "networks of other tools",
    "numba": "compiled scores of a search",
    "numpy": "integer arithmetic of the reference",
    "onnx": "ONNX files: writes and checks them",
    "onnxruntime": "ONNX files: runs them",
    "optuna": "search by evolution",
    "packaging": "this inventory",
    "pillow": "image folders",
    "protobuf": "ONNX files: their encoding",
    "pydantic": "board profiles",
    "pyelftools": "sizes and symbols of firmware",
    "pyocd": "writes boards through a debug probe",
    "pyserial": "writes boards with the PX4 and ArduPilot bootloader, and runs networks on boards (verify --serial)",
    "ray": "search on a cluster",
    "rich": "tables",
    "safetensors": "weights on disk",
    "snntorch": "surrogate gradients for training",
    "stm32loader": "writes STM32 boards over a serial port",
    "tensorboard": "curves of a training",
    "tflite-micro": "TFLite files: runs them as microcontrollers do",
    "tflite-runtime": "TFLite files: runs them as older boards do",
    "tomli": "TOML on Python 3.10",
    "tomli-w": "settings of a run",
    "tonic": "recordings of event cameras",
    "torch": "search and training",
    "typer": "command line",
    "unicorn": "emulates firmware on the board's exact memory map",
    "ziglang": "compiles firmware",
}


@dataclass(frozen=True)
class SystemTool:
    """A program found on PATH; ``package`` is Debian's and Ubuntu's name for what holds it."""

    name: str
    package: str
    purpose: str


SYSTEM_TOOLS = (
    SystemTool("arm-none-eabi-gcc", "gcc-arm-none-eabi", "compiles firmware, a second opinion on ziglang"),
    SystemTool("qemu-system-arm", "qemu-system-arm", "emulates firmware, a second opinion on unicorn"),
    SystemTool("openocd", "openocd", "writes boards through a debug probe"),
    SystemTool("dfu-util", "dfu-util", "writes STM32 boards over USB"),
    SystemTool("gdb-multiarch", "gdb-multiarch", "writes boards through a GDB server"),
    SystemTool("qemu-aarch64-static", "qemu-user-static", "`verify --emulate`: runs ONNX and TFLite files"),
    SystemTool("debootstrap", "debootstrap", "`verify --emulate`: fetches the system that they run in"),
)


@dataclass(frozen=True)
class Finding:
    """One package or tool as it was found; ``install`` is the command that mends it, None if it is fine."""

    name: str
    group: str
    purpose: str
    status: Literal["ok", "missing", "wrong version", "broken"]
    version: str | None
    detail: str | None = None
    install: tuple[str, ...] | None = None


def take_inventory() -> list[Finding]:
    """Check every package and tool, packages by using them; takes some three seconds, mostly torch's import.

    Raises ``ToolMissingError`` if our own distribution is not installed in this Python.
    """
    required = requirements()
    installed = {canonicalize_name(r.name): _version(r.name) for _, r in required}
    to_try = [name for name in PROBES if installed.get(canonicalize_name(name))]
    # torch takes as long as all the others together.
    batches = [[n for n in to_try if "torch" in n], [n for n in to_try if "torch" not in n]]
    with ThreadPoolExecutor() as pool:
        tools = pool.map(_find_tool, SYSTEM_TOOLS)
        errors = {name: error for batch in pool.map(_try_packages, batches) for name, error in batch.items()}
        packages = [_judge(group, r, installed[canonicalize_name(r.name)], errors) for group, r in required]
        return [*packages, *tools]


def requirements() -> list[tuple[str, Requirement]]:
    """(group, requirement) for those that this Python and platform need; a group is "core" or an extra."""
    try:
        declared = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
        extras = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError as error:
        raise ToolMissingError(
            f"{DISTRIBUTION} is not installed in {sys.executable}; run `make install`, or "
            f"`{sys.executable} -m pip install -e .` in its folder"
        ) from error
    core = [(CORE, r) for r in declared if r.marker is None or r.marker.evaluate({"extra": ""})]
    optional = [
        (extra, r)
        for extra in extras
        for r in declared
        if extra != DEVELOPERS_ONLY
        and (CORE, r) not in core
        and r.marker
        and r.marker.evaluate({"extra": extra})
    ]
    return core + optional


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _judge(group: str, required: Requirement, version: str | None, errors: dict[str, str | None]) -> Finding:
    name = required.name
    wanted = f"{name}{required.specifier}"
    mend = (sys.executable, "-m", "pip", "install", wanted)
    purpose = PURPOSES.get(name, "")
    if version is None:
        return Finding(name, group, purpose, "missing", None, f"not installed; needs {wanted}", mend)
    if not required.specifier.contains(version, prereleases=True):
        return Finding(
            name, group, purpose, "wrong version", version, f"{version} installed; needs {wanted}", mend
        )
    if error := errors.get(name):
        again = (*mend[:4], "--force-reinstall", "--no-deps", f"{name}=={version}")
        return Finding(name, group, purpose, "broken", version, error, again)
    return Finding(name, group, purpose, "ok", version)


def _try_packages(names: list[str]) -> dict[str, str | None]:
    """Error by package, None where it works; a crash or a hang is the error of the package being tried."""
    errors: dict[str, str | None] = {}
    while len(errors) < len(names):
        left = [name for name in names if name not in errors]
        command = [sys.executable, "-m", "toolchain.environment.probes", *left]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_SECONDS)
            output, ending = done.stdout, f"ended Python with status {done.returncode}"
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"").decode(errors="replace")
            ending = f"gave no answer within {PROBE_TIMEOUT_SECONDS} s"
        for line in output.splitlines():
            if line.startswith('{"name"'):
                report = json.loads(line)
                errors[report["name"]] = report["error"]
        untold = [name for name in names if name not in errors]
        if untold:
            errors[untold[0]] = ending
    return errors


def _find_tool(tool: SystemTool) -> Finding:
    install = ("sudo", "apt-get", "install", "--no-install-recommends", tool.package)
    path = shutil.which(tool.name)
    if path is None:
        return Finding(tool.name, SYSTEM, tool.purpose, "missing", None, "not on PATH", install)
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=TOOL_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(tool.name, SYSTEM, tool.purpose, "broken", None, str(error), install)
    first_line = (done.stdout or done.stderr).partition("\n")[0]
    # Three numbers where there are three: packagers put others of their own before them.
    version = re.search(r"\b\d+\.\d+\.\d+\b", first_line) or re.search(r"\b\d+\.\d+\b", first_line)
    return Finding(tool.name, SYSTEM, tool.purpose, "ok", version.group() if version else first_line)
