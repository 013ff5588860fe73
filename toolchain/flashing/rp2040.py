"""The second boot stage of an RP2040: 256 bytes before the image, without which its boot ROM starts nothing.

They share a sector of 4 KiB with the image, so whoever writes the image writes them too. Ours asks the boot ROM itself
to map the flash, in the way that every flash chip understands (``_flash_enter_cmd_xip``; slow, but the image runs at
the clock after reset anyway), and jumps to the vector table behind it. RP2040 datasheet, sections 2.8.1.3 (where the
boot ROM loads and checks it) and 2.8.3 (functions of the boot ROM: their table is named at 0x14, its look-up at 0x18).
"""

from __future__ import annotations

import struct
from dataclasses import replace

from toolchain.files import write_atomic
from toolchain.flashing.job import Job
from toolchain.flashing.steps import Action

FAMILY = 0xE48BFF56
FLASH, STAGE_BYTES = 0x1000_0000, 256

_CODE = (
    0x2300,  # movs r3, #0
    0x8A98,  # ldrh r0, [r3, #0x14]   table of the boot ROM's functions
    0x8B1A,  # ldrh r2, [r3, #0x18]   its look-up: (table, code) -> function
    0x4905,  # ldr  r1, [pc, #20]     code
    0x4790,  # blx  r2
    0x4780,  # blx  r0                _flash_enter_cmd_xip()
    0x4804,  # ldr  r0, [pc, #16]     vector table
    0x4905,  # ldr  r1, [pc, #20]     VTOR
    0x6008,  # str  r0, [r1]
    0xC806,  # ldm  r0!, {r1, r2}     initial stack pointer, reset handler
    0xF381,
    0x8808,  # msr  msp, r1
    0x4710,  # bx   r2
    0x46C0,  # nop
)
_WORDS = (
    int.from_bytes(b"CX", "little"),
    FLASH + STAGE_BYTES,
    0xE000_ED08,
)


def boot_stage() -> bytes:
    """The second boot stage, with the CRC that the boot ROM asks for in its last four bytes."""
    code = struct.pack(f"<{len(_CODE)}H{len(_WORDS)}I", *_CODE, *_WORDS).ljust(STAGE_BYTES - 4, b"\0")
    return code + struct.pack("<I", crc(code))


def crc(data: bytes) -> int:
    """CRC32 as the boot ROM computes it: polynomial 0x04C11DB7, begins with all ones, nothing reflected or inverted."""
    value = 0xFFFF_FFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C1_1DB7 if value & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return value


def with_boot_stage(job: Job) -> tuple[Job, tuple[Action, ...]]:
    """``job`` with the boot stage before an image that an RP2040 could not start without, and the step that writes
    the file of both; any other job as it is.
    """
    image = job.image
    if job.names.uf2_family != FAMILY or image.address != FLASH + STAGE_BYTES:
        return job, ()
    whole = replace(image, path=job.work / image.path.name, address=FLASH, data=boot_stage() + image.data)
    step = Action(
        f"write {whole.path}: the second boot stage of an RP2040, and {image.path} behind it",
        lambda progress: write_atomic(whole.path, whole.data),
    )
    return replace(job, image=whole), (step,)
