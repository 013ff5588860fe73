"""``build``: the exported sources become the image that is verified and flashed; ``build_host`` runs them here."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, LINK, WARNINGS, Compiler
from exporters.c.image import flat_image
from exporters.c.placement import identifier
from toolchain.errors import InputError, OverBudgetError
from toolchain.files import write_atomic
from toolchain.profiles.schema import Profile

ELF, BINARY = "firmware.elf", "firmware.bin"

# "section '.text' will not fit in region 'x': overflowed by 12 bytes" (lld), "region `x' overflowed by 12 bytes" (ld).
_OVERFLOW = re.compile(r"region [`'](\w+)'(?:: )? ?overflowed by (\d+) bytes")


@dataclass(frozen=True)
class Firmware:
    """A linked image: ``elf`` with symbols, ``binary`` as it lies in flash from the first address of the code's region."""

    elf: Path
    binary: Path


def build(source_folder: Path, profile: Profile, compiler: Compiler | None = None) -> Firmware:
    """Compile and link what ``export`` wrote to ``source_folder`` into firmware beside that folder.

    Without ``compiler`` the first that is installed is taken, zig before gcc. The same sources and compiler
    give the same bytes. Files are replaced only if all went well.

    Raises ``OverBudgetError`` naming the region and the bytes if the image is too large for the board,
    ``ToolMissingError`` if there is no compiler, ``InputError`` if the board's core is not a Cortex-M, or
    the sources are missing or do not compile.
    """
    if profile.core not in CORES:
        raise InputError(
            f"firmware cannot be built here for the core {profile.core} of {profile.name}; "
            f"add the exported sources to that board's own project (cores built here: {', '.join(CORES)})"
        )
    sources = sorted(path.name for path in source_folder.glob("*.c"))
    for needed in ("firmware.c", "startup.c", "link.ld"):
        if not (source_folder / needed).is_file():
            raise InputError(f"{source_folder} has no {needed}; export the network for {profile.name} first")
    compiler, command = compilers.arm_command(compiler)
    core = getattr(CORES[profile.core], compiler)
    flags = [*ARM[compiler], f"-mcpu={core}", *CODE, *WARNINGS, *LINK, "-T", "link.ld"]
    with tempfile.TemporaryDirectory(prefix="spikenas-build-") as temporary:
        elf = Path(temporary) / ELF
        outcome = compilers.run([*command, *flags, *sources, "-o", str(elf)], source_folder)
        if outcome.returncode or not elf.is_file():
            raise _failure(outcome.stderr, profile)
        content = elf.read_bytes()
    folder = source_folder.parent
    image = flat_image(content)
    write_atomic(folder / ELF, content)
    write_atomic(folder / BINARY, image)
    return Firmware(folder / ELF, folder / BINARY)


def build_host(source_folders: Path | Sequence[Path], output: Path | None = None) -> Path:
    """Compile the networks in one or more exported folders into a shared library for this machine.

    Networks that share a library need different prefixes; their runtime kernels are the same. The library goes to
    ``output``, by default ``libnet.so`` in the (first) folder. Raises ``ToolMissingError`` or ``InputError``.
    """
    folders = [source_folders] if isinstance(source_folders, Path) else list(source_folders)
    bare_metal = {"firmware.c", "startup.c"}
    kernels = [str(path.resolve()) for path in sorted(folders[0].glob("snn_*.c"))]
    networks = [
        str(path.resolve())
        for folder in folders
        for path in sorted(folder.glob("*.c"))
        if path.name not in bare_metal and not path.name.startswith("snn_")
    ]
    if not kernels or not networks:
        raise InputError(f"{folders[0]} holds no exported network; export one first")
    target = output or folders[0] / "libnet.so"
    flags = ["-std=c99", "-O2", "-g0", "-shared", "-fPIC", *WARNINGS]
    with tempfile.TemporaryDirectory(prefix="spikenas-build-") as temporary:
        library = Path(temporary) / "libnet.so"
        outcome = compilers.run(
            [*compilers.host_command(), *flags, *kernels, *networks, "-o", str(library)], folders[0]
        )
        if outcome.returncode or not library.is_file():
            raise InputError(
                f"the sources in {folders[0]} do not compile: {compilers.first_error(outcome.stderr)}"
            )
        write_atomic(target, library.read_bytes())
    return target


def _failure(message: str, profile: Profile) -> InputError | OverBudgetError:
    """What went wrong, from the linker's or the compiler's words."""
    names = {identifier(index, region.name): region for index, region in enumerate(profile.regions)}
    over: dict[str, int] = {}
    for name, missing in _OVERFLOW.findall(message):
        # Each section that no longer fits is reported; the largest number covers all of them.
        over[name] = max(over.get(name, 0), int(missing))
    if over:
        parts = [
            f"region {names[name].name} overflows its {names[name].available_bytes} bytes by {missing} bytes"
            for name, missing in over.items()
            if name in names
        ]
        return OverBudgetError(
            f"the image does not fit {profile.name}: {'; '.join(parts)}; choose a smaller network"
        )
    return InputError(
        f"the exported sources do not build for {profile.name}: {compilers.first_error(message)}"
    )
