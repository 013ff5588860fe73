"""``build``: the exported sources become the image that is verified and flashed; ``build_host`` runs them here."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, HOST, LINK
from exporters.c.export import BARE_METAL
from exporters.c.image import flat_image
from exporters.c.placement import identifier, memory
from toolchain.cost.code_size import Compiler
from toolchain.errors import InputError, OverBudgetError
from toolchain.files import MAX_TEXT_BYTES, read_bytes, write_atomic
from toolchain.profiles.schema import Profile

ELF, BINARY = "firmware.elf", "firmware.bin"
CONSOLE = "spikenas_console.c"
"""For firmware with a UART; the image that is built here has none."""

# lld: section '.text' will not fit in region 'x': overflowed by 12 bytes; ld: region `x' overflowed by 12 bytes
_OVERFLOW = re.compile(r"region [`'](\w+)':? overflowed by (\d+) bytes?")


@dataclass(frozen=True)
class Firmware:
    """A linked image: ``elf`` has the symbols, ``binary`` the bytes as they lie in flash from the vector table on."""

    elf: Path
    binary: Path


def build(source_folder: Path, profile: Profile, compiler: Compiler | None = None) -> Firmware:
    """Compile and link what ``export`` wrote to ``source_folder`` into firmware beside that folder.

    Without ``compiler`` the first that is installed is taken, zig before gcc. The same sources and compiler
    give the same bytes. Nothing is written unless all goes well.

    Raises ``OverBudgetError`` naming region and bytes if the image is too large for the board,
    ``ToolMissingError`` if there is no compiler, ``InputError`` if the board's core is not a Cortex-M, or
    the sources are missing or do not build.
    """
    if profile.core not in CORES:
        raise InputError(
            f"no firmware can be built here for {profile.name}, but for boards with {', '.join(CORES)}; "
            "add the exported sources to that board's own project"
        )
    for needed in sorted(BARE_METAL):
        if not (source_folder / needed).is_file():
            raise InputError(f"{source_folder} has no {needed}; export the network for {profile.name} first")
    script = read_bytes(source_folder / "link.ld", MAX_TEXT_BYTES).decode(errors="replace").splitlines()
    if not {f"    {line}" for line in memory(profile)} <= set(script):
        raise InputError(
            f"{source_folder} was exported for another board; export the network for {profile.name} first"
        )
    compiler, command = compilers.arm_command(compiler)
    flags = [*ARM[compiler], f"-mcpu={CORES[profile.core][compiler]}", *CODE, *LINK, "-T", "link.ld"]
    sources = sorted(path.name for path in source_folder.glob("*.c") if path.name != CONSOLE)
    with tempfile.TemporaryDirectory(prefix="spikenas-build-") as temporary:
        elf = Path(temporary) / ELF
        outcome = compilers.run([*command, *flags, *sources, "-o", str(elf)], source_folder)
        if outcome.returncode or not elf.is_file():
            raise _failure(outcome.stderr, profile)
        content = elf.read_bytes()
    folder, image = source_folder.parent, flat_image(content)
    write_atomic(folder / ELF, content)
    write_atomic(folder / BINARY, image)
    return Firmware(folder / ELF, folder / BINARY)


def build_host(
    source_folders: Path | Sequence[Path], output: Path | None = None, flags: Sequence[str] = ()
) -> Path:
    """Compile the networks in one or more exported folders into a shared library for this machine.

    Networks that share a library need different prefixes; they share the runtime kernels too. ``output`` is
    by default ``libnet.so`` in the (first) folder; ``flags`` go to the compiler. Raises
    ``ToolMissingError`` if there is no compiler, ``InputError`` if the sources are missing or do not compile.
    """
    folders = [source_folders] if isinstance(source_folders, Path) else list(source_folders)
    kernels = sorted(folders[0].glob("snn_*.c"))
    networks = [
        path
        for folder in folders
        for path in sorted(folder.glob("*.c"))
        if path.name not in BARE_METAL and not path.name.startswith(("snn_", CONSOLE))
    ]
    if not kernels or not networks:
        raise InputError(f"{folders[0]} holds no exported network; export one first")
    target = output or folders[0] / "libnet.so"
    with tempfile.TemporaryDirectory(prefix="spikenas-build-") as temporary:
        library = Path(temporary) / "libnet.so"
        sources = [str(path.resolve()) for path in (*kernels, *networks)]
        command = [*compilers.host_command(), *HOST, *flags, *sources, "-o", str(library)]
        outcome = compilers.run(command, folders[0])
        if outcome.returncode or not library.is_file():
            raise InputError(f"{folders[0]} does not compile: {compilers.first_error(outcome.stderr)}")
        write_atomic(target, library.read_bytes())
    return target


def _failure(message: str, profile: Profile) -> InputError | OverBudgetError:
    """What went wrong, from the linker's or the compiler's words."""
    regions = {identifier(index, region.name): region for index, region in enumerate(profile.regions)}
    over: dict[str, int] = {}
    for name, missing in _OVERFLOW.findall(message):
        # lld reports each section that no longer fits, counted from the region's end: the largest covers all.
        over[name] = max(over.get(name, 0), int(missing))
    parts = [
        f"region {regions[name].name} overflows its {regions[name].available_bytes} bytes by {missing}"
        for name, missing in over.items()
        if name in regions
    ]
    if parts:
        return OverBudgetError(
            f"the image does not fit {profile.name}: {'; '.join(parts)}; choose a smaller network"
        )
    return InputError(
        f"the exported sources do not build for {profile.name}: {compilers.first_error(message)}"
    )
