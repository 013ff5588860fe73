"""A flight firmware for tests: a main loop that calls the exported network, linked behind a bootloader.

It is built as a user's would be: the run's own sources, no linker script of ours, and what is unused is dropped.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

from elftools.elf.elffile import ELFFile

from exporters.c import compilers
from exporters.c.cores import ARM, CODE, CORES, LINK
from exporters.c.export import BARE_METAL
from exporters.c.image import flat
from toolchain.cost.code_size import Compiler
from toolchain.profiles.schema import Profile

HERE = Path(__file__).parent


def build(
    sources: Path,
    profile: Profile,
    folder: Path,
    *,
    start: int | None = None,
    padding: int = 0,
    with_network: bool = True,
    compiler: Compiler | None = None,
) -> tuple[Path, Path]:
    """Link the firmware and return its .bin and its .elf.

    ``start`` is the address it begins at, by default the end of the bootloader; ``padding`` bytes make it larger.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flash, sram = (next(r for r in profile.regions if r.kind == kind) for kind in ("flash", "sram"))
    begin = flash.origin + flash.bootloader_bytes if start is None else start
    script = (HERE / "flight.ld").read_text()
    for name, value in (("FLASH", begin), ("SRAM", sram.origin)):
        script = script.replace(name + "_ORIGIN", f"0x{value:08x}")
    (folder / "flight.ld").write_text(script)
    compiler, command = compilers.arm_command(compiler)
    flags = [
        *ARM[compiler],
        f"-mcpu={CORES[str(profile.core)][compiler]}",
        *CODE,
        *LINK,
        f"-DPADDING={padding}",
    ]
    network = [str(path) for path in sorted(sources.glob("*.c")) if path.name not in BARE_METAL]
    flags += [f"-I{sources}", "-DWITH_NETWORK"] if with_network else []
    elf = folder / "flight.elf"
    files = [str(HERE / "flight.c"), *(network if with_network else [])]
    done = compilers.run([*command, *flags, "-T", str(folder / "flight.ld"), *files, "-o", str(elf)], folder)
    assert done.returncode == 0, done.stderr
    _objcopy(elf, folder / "cf2.bin")
    return folder / "cf2.bin", elf


def bundle(binary: Path, board: int, **changes: object) -> Path:
    """The .px4 file of ``binary``, as px_mkfw.py writes it; ``changes`` replace keys."""
    content = binary.read_bytes()
    document = {
        "magic": "PX4FWv1",
        "board_id": board,
        "image": base64.b64encode(zlib.compress(content, 9)).decode(),
        "image_size": len(content),
        **changes,
    }
    path = binary.with_suffix(".px4")
    path.write_text(json.dumps(document))
    return path


def _objcopy(elf: Path, binary: Path) -> None:
    """What ``objcopy -O binary`` makes: sections with content, by the address that they are loaded at."""
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        segments = [s for s in file.iter_segments("PT_LOAD") if s["p_filesz"]]
        parts = [
            (segment["p_paddr"] + section["sh_offset"] - segment["p_offset"], section.data())
            for section in file.iter_sections("SHT_PROGBITS")
            if section["sh_flags"] & 2 and section["sh_size"]
            for segment in segments
            if segment["p_offset"] <= section["sh_offset"] < segment["p_offset"] + segment["p_filesz"]
        ]
    binary.write_bytes(flat(parts)[1])
