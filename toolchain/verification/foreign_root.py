"""A Debian system of another architecture, unpacked in the user's cache, for programs that run under qemu-user.

Nothing of it is installed, booted or entered with chroot: ``debootstrap --foreign`` downloads and checks the packages,
``dpkg-deb -x`` unpacks them, and pip puts that architecture's wheels beside them. It takes some 400 MB and a few
minutes, once; the folder gets its name only when all is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from toolchain.errors import InputError, ToolMissingError
from toolchain.files import locked, write_atomic

SUITE, PYTHON = "bookworm", "3.11"
"""Debian's release, and its Python, which the wheels must be for."""

MIRROR = "http://deb.debian.org/debian"
"""Packages are signed; debootstrap checks that."""

TIMEOUT_S = 1800.0
"""For each of the programs that fetch and unpack."""

SPACE_BYTES = 700 * 1024 * 1024
"""What must be free to make a root: packages, what they unpack to, and wheels."""

_DISTRIBUTIONS = {
    "onnxruntime": "onnxruntime",
    "tflite_runtime": "tflite-runtime",
    "ai_edge_litert": "ai-edge-litert",
}
_NUMPY = "numpy==1.26.4"
"""The last that tflite-runtime works with, and one with wheels for all that is here."""


@dataclass(frozen=True)
class Architecture:
    """What is emulated: ``cpu`` is always named, because qemu's "max" has instructions that no board has, and LiteRT
    then computes other integers. ``runtimes`` are those with wheels; ``packages`` are Debian's."""

    name: str
    debian: str
    qemu: str
    cpu: str
    libraries: str
    machine: str
    runtimes: tuple[str, ...]
    packages: tuple[str, ...]
    cpuinfo: str

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """Platform tags of wheels that bookworm's glibc (2.36) loads."""
        versions = ("2_36", "2_35", "2_34", "2_31", "2_28", "2_27", "2_24", "2_17")
        return (
            *(f"manylinux_{version}_{self.machine}" for version in versions),
            f"manylinux2014_{self.machine}",
        )


_CPUINFO = """processor\t: {index}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: {level}
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3

"""


def _cpuinfo(features: str, level: int, part: str) -> str:
    cores = (_CPUINFO.format(index=i, features=features, level=level, part=part) for i in range(4))
    return "".join(cores)


ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture(
            "aarch64",
            "arm64",
            "qemu-aarch64-static",
            "cortex-a72",
            "aarch64-linux-gnu",
            "aarch64",
            ("onnxruntime", "tflite_runtime", "ai_edge_litert"),
            ("python3", "libstdc++6"),
            _cpuinfo("fp asimd evtstrm crc32 cpuid", 8, "0xd08"),
        ),
        Architecture(
            "armhf",
            "armhf",
            "qemu-arm-static",
            "cortex-a7",
            "arm-linux-gnueabihf",
            "armv7l",
            ("tflite_runtime",),
            # There is no wheel of numpy for this architecture.
            ("python3", "libstdc++6", "python3-numpy"),
            _cpuinfo("half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae", 7, "0xc07"),
        ),
    )
}
"""Name -> what can be emulated."""

_FAKES = {"possible": "0-3\n", "present": "0-3\n", "online": "0-3\n", "kernel_max": "3\n"}
"""Files below /sys/devices/system/cpu. Without them and /proc/cpuinfo, which would be the host's, ONNX Runtime and
LiteRT crash as they start."""


@dataclass(frozen=True)
class ForeignRoot:
    """An unpacked system; ``command`` and ``environment`` run its Python under qemu-user."""

    architecture: Architecture
    path: Path
    qemu: str
    versions: dict[str, str]

    def command(self) -> list[str]:
        """The first part of a command line, to be followed by Python's arguments."""
        python = self.path / "usr" / "bin" / f"python{PYTHON}"
        return [self.qemu, "-cpu", self.architecture.cpu, "-L", str(self.path), str(python)]

    def environment(self) -> dict[str, str]:
        """All that the emulated program sees of the environment."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(self.path / "wheels"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }


def foreign_root(name: str, progress: Callable[[str], None]) -> ForeignRoot:
    """The root of the architecture ``name``, made if it is not in the cache yet.

    Raises ``ToolMissingError`` if qemu-user, or what makes the root, is not installed; ``InputError`` for an unknown
    architecture, or if it cannot be fetched or written.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"{name!r} is not emulated; --emulate takes {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[name]
    qemu = _tool(architecture.qemu, "qemu-user-static")
    versions = {runtime: _version(runtime) for runtime in architecture.runtimes}
    key = "-".join([SUITE, name, *(f"{version}" for version in versions.values())])
    cache = _cache()
    path = cache / key
    if not path.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / f"{key}.lock", f"another process is making {path}; wait for it"):
            if not path.is_dir():
                progress(f"fetching a Debian system for {name} into {path}, once; this takes some minutes")
                _make(architecture, versions, path)
    return ForeignRoot(architecture, path, qemu, versions)


def _make(architecture: Architecture, versions: dict[str, str], path: Path) -> None:
    bootstrap, unpack = _tool("debootstrap", "debootstrap"), _tool("dpkg-deb", "dpkg")
    # debootstrap asks for root's rights; without them fakeroot makes it believe that it has them.
    prefix = [] if os.geteuid() == 0 else [_tool("fakeroot", "fakeroot")]
    if shutil.disk_usage(path.parent).free < SPACE_BYTES:
        raise InputError(
            f"{path.parent} has less than {SPACE_BYTES // 1024**2} MB free; make room and try again"
        )
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making.") as folder:
        root = Path(folder) / "root"
        _run(
            [
                *prefix,
                bootstrap,
                "--foreign",
                f"--arch={architecture.debian}",
                "--variant=minbase",
                f"--include={','.join(architecture.packages)}",
                SUITE,
                str(root),
                MIRROR,
            ]
        )
        archives = sorted((root / "var" / "cache" / "apt" / "archives").glob("*.deb"))
        for archive in archives:
            _run([unpack, "-x", str(archive), str(root)])
            archive.unlink()
        _link_alternatives(root / "usr" / "lib" / architecture.libraries)
        _install_wheels(architecture, versions, root / "wheels")
        write_atomic(root / "proc" / "cpuinfo", architecture.cpuinfo)
        for name, text in _FAKES.items():
            write_atomic(root / "sys" / "devices" / "system" / "cpu" / name, text)
        root.rename(path)


def _link_alternatives(libraries: Path) -> None:
    """Links to what Debian's numpy needs, which otherwise only an installation makes."""
    for name in ("blas", "lapack"):
        if (libraries / name / f"lib{name}.so.3").exists():
            (libraries / f"lib{name}.so.3").symlink_to(f"{name}/lib{name}.so.3")


def _install_wheels(architecture: Architecture, versions: dict[str, str], target: Path) -> None:
    wanted = [f"{_DISTRIBUTIONS[runtime]}=={version}" for runtime, version in versions.items()]
    own_numpy = "python3-numpy" in architecture.packages
    options = [f"--platform={platform}" for platform in architecture.wheel_platforms]
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={PYTHON}",
            *options,
            f"--target={target}",
            *(["--no-deps"] if own_numpy else [_NUMPY]),
            *wanted,
        ]
    )


def _run(command: list[str]) -> None:
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{name} took more than {TIMEOUT_S:g} s; try again on a faster connection") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InputError(
            f"the system to emulate cannot be made: {name}: {said[-1] if said else 'it failed'}; "
            "check the network connection and try again"
        )


def _version(runtime: str) -> str:
    """The version that is installed here, so that the same is compared; tflite-runtime has only one."""
    try:
        return metadata.version(_DISTRIBUTIONS[runtime])
    except metadata.PackageNotFoundError:
        if runtime == "tflite_runtime":
            return "2.14.0"
        raise ToolMissingError(
            f"{_DISTRIBUTIONS[runtime]} is not installed; `pip install {_DISTRIBUTIONS[runtime]}`"
        ) from None


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(
            f"emulating another architecture needs {name}, which is not installed; "
            f"`sudo apt-get install {package}`, and debootstrap and fakeroot beside it"
        )
    return found


def _cache() -> Path:
    """Below ``XDG_CACHE_HOME`` (XDG Base Directory Specification), which counts only if it is absolute."""
    stated = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(stated) if stated and Path(stated).is_absolute() else Path.home() / ".cache"
    return base / "spikenas-deploy" / "roots"
