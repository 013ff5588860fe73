"""The second boot stage of an RP2040, run by a core that has nothing but a boot ROM's table of functions."""

from __future__ import annotations

import struct

import pytest

from toolchain.flashing.rp2040 import FLASH, STAGE_BYTES, boot_stage, crc

ROM_TABLE, LOOKUP, ENTER_XIP, LOADED_AT, RAM = 0x0400, 0x0200, 0x0300, 0x2004_1F00, 0x2000_0000
STACK, RESET = 0x2003_0000, FLASH + 0x151


def test_its_crc_is_that_of_the_boot_rom() -> None:
    # Check value of CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms.
    assert crc(b"123456789") == 0x0376E6E7
    stage = boot_stage()
    assert len(stage) == STAGE_BYTES and struct.unpack("<I", stage[-4:])[0] == crc(stage[:-4])


def test_it_maps_the_flash_and_starts_the_image() -> None:
    unicorn = pytest.importorskip("unicorn")
    from unicorn import arm_const as arm

    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
    core.mem_map(0, 0x4000)
    core.mem_map(RAM, 0x4_2000)
    core.mem_map(FLASH, 0x1000)
    core.mem_map(0xE000_E000, 0x1000)
    # RP2040 datasheet, 2.8.3: at 0x14 and 0x18 the table of functions and its look-up, as 16-bit addresses.
    core.mem_write(0x14, struct.pack("<HHH", ROM_TABLE, 0, LOOKUP | 1))
    core.mem_write(LOOKUP, bytes.fromhex("7047"))
    core.mem_write(ENTER_XIP, bytes.fromhex("7047"))
    core.mem_write(FLASH + STAGE_BYTES, struct.pack("<II", STACK, RESET))
    core.mem_write(LOADED_AT, boot_stage())
    asked: list[tuple[int, int]] = []
    mapped: list[int] = []

    def visit(machine: object, address: int, size: int, _: object) -> None:
        if address == LOOKUP:
            asked.append((core.reg_read(arm.UC_ARM_REG_R0), core.reg_read(arm.UC_ARM_REG_R1)))
            core.reg_write(arm.UC_ARM_REG_R0, ENTER_XIP | 1)
        if address == ENTER_XIP:
            mapped.append(address)

    core.hook_add(unicorn.UC_HOOK_CODE, visit)
    core.reg_write(arm.UC_ARM_REG_SP, RAM + 0x1000)
    core.emu_start(LOADED_AT | 1, RESET & ~1, count=200)
    assert asked == [(ROM_TABLE, int.from_bytes(b"CX", "little"))] and len(mapped) == 1
    assert core.reg_read(arm.UC_ARM_REG_PC) == RESET & ~1 and core.reg_read(arm.UC_ARM_REG_SP) == STACK
    assert int.from_bytes(core.mem_read(0xE000_ED08, 4), "little") == FLASH + STAGE_BYTES
