"""Every profile that ships loads, keeps the rules, names its sources, and says what the board's documents say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hardware_profiles
from toolchain.profiles import available, load
from toolchain.profiles.budget import budget
from toolchain.profiles.schema import Profile

REQUIRED = {
    "jetson_nano": "linux",
    "jetson_orin_nano": "linux",
    "raspberry_pi_4b": "linux",
    "raspberry_pi_5": "linux",
    "raspberry_pi_zero_2w": "linux",
    "stm32f405": "standalone",
    "crazyflie_2_1": "hosted",
    "stm32h743": "standalone",
    "pixhawk_6c": "hosted",
    "openmv_cam_h7": "hosted",
    "stm32f765": "standalone",
    "pixhawk_4": "hosted",
    "stm32l476": "standalone",
    "nrf52840": "standalone",
    "rp2040": "standalone",
    "rp2350": "standalone",
    "mps3_an547": "standalone",
    "esp32s3": "hosted",
    "esp32s3_eye": "hosted",
}
KIB = 1024


def test_the_promised_boards_are_there() -> None:
    assert {name: load(name).role for name in available()} == REQUIRED


def test_every_file_in_the_folder_is_a_profile() -> None:
    folder = Path(hardware_profiles.__file__).parent
    assert sorted(file.stem for file in folder.glob("*.toml")) == available()


def sources(profile: Profile) -> list[str]:
    tables = (
        *profile.regions,
        profile.linux,
        profile.runtime,
        profile.performance,
        profile.power,
        profile.emulation,
        profile.flashing,
    )
    return [profile.source, *(table.source for table in tables if table is not None)]


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_sources_name_a_document_or_say_estimate(name: str) -> None:
    document = re.compile(
        r"RM0\d{3}|DS\d+|[Dd]ata ?sheet|[Rr]elease notes|Specification|product brief|Arm AN547|CMSIS|ESP-IDF|QEMU,|"
        r"AN\d{4}|pyOCD|PX4|openmv|crazyflie-firmware|Debian|estimate"
    )
    for source in sources(load(name)):
        assert len(source) > 20 and document.search(source), source


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_speeds_are_marked_as_estimates(name: str) -> None:
    performance = load(name).performance
    assert performance is None or performance.source.startswith("estimate:")


UNKNOWN_POWER = {"mps3_an547", "rp2040", "rp2350", "stm32f765", "pixhawk_4"}


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_power_is_an_estimate_from_a_current_or_a_power_budget(name: str) -> None:
    power = load(name).power
    assert (power is None) == (name in UNKNOWN_POWER)
    if power is not None:
        assert power.source.startswith("estimate: ") and re.search(r"\d m?A|\d W", power.source)
        volts = re.search(r"([\d.]+) mA.* at ([\d.]+) V", power.source)
        assert volts is None or power.active_mw == pytest.approx(float(volts[1]) * float(volts[2]), rel=0.01)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_board_says_where_its_pixels_come_from(name: str) -> None:
    pixels = load(name).pixels
    assert pixels is not None and len(pixels) > 20
    # A board of its own kind does not take over what its chip says.
    parent = load(name).inherits
    assert parent is None or load(parent).pixels != pixels


@pytest.mark.parametrize("name", sorted(n for n, role in REQUIRED.items() if role == "linux"))
def test_a_linux_board_has_limits_a_runtime_and_a_speed(name: str) -> None:
    profile = load(name)
    assert profile.linux and profile.runtime and profile.performance
    limits = budget(profile)
    assert limits.artifact_bytes and limits.resident_bytes and limits.latency_ms
    assert limits.flash_bytes is None and limits.sram_bytes is None and limits.regions == ()


@pytest.mark.parametrize("name", sorted(n for n, role in REQUIRED.items() if role != "linux"))
def test_a_microcontroller_has_memories_and_exports_c(name: str) -> None:
    profile = load(name)
    assert profile.core and profile.stack_bytes and profile.default_formats == ("c",)
    limits = budget(profile)
    assert limits.flash_bytes == sum(r.available_bytes for r in limits.regions if r.kind == "flash")
    assert limits.sram_bytes == sum(r.available_bytes for r in limits.regions if r.kind == "sram")


def test_jetson_nano_gets_only_what_its_stock_system_loads() -> None:
    runtime = load("jetson_nano").runtime
    assert runtime is not None
    assert (runtime.glibc, runtime.python) == ("2.27", "3.6")
    # pip on a stock board finds ONNX Runtime 1.10: opset 15; the GPU build is 1.11: opset 16.
    assert runtime.onnx_opset <= 15 and runtime.onnx_ir_version <= 8
    assert runtime.tensorrt is not None and runtime.tensorrt.startswith("8.")
    assert runtime.gpu_fp16 and not runtime.gpu_int8
    assert runtime.tflite_package is None
    assert load("jetson_nano").default_formats == ("onnx",)


def test_stm32f405_keeps_ccm_apart() -> None:
    profile = load("stm32f405")
    assert [(r.name, r.origin, r.size_bytes) for r in profile.regions] == [
        ("flash", 0x0800_0000, 1024 * KIB),
        ("sram", 0x2000_0000, 128 * KIB),
        ("ccm", 0x1000_0000, 64 * KIB),
    ]
    assert profile.region("ccm").holds == ("buffers",)
    assert profile.emulation is not None and profile.emulation.unicorn_cpu == "CORTEX_M4"
    assert profile.emulation.qemu_machine == "netduinoplus2"
    assert profile.emulation.qemu_ram_bytes == 128 * KIB


def test_crazyflie_is_the_same_chip_less_its_firmware() -> None:
    chip, board = load("stm32f405"), load("crazyflie_2_1")
    assert [(r.name, r.origin, r.size_bytes) for r in board.regions] == [
        (r.name, r.origin, r.size_bytes) for r in chip.regions
    ]
    # crazyflie-firmware pull request 1700 prints 29,044 bytes of RAM and 9,952 of CCM free.
    assert board.region("sram").available_bytes <= 29_044
    assert board.region("ccm").available_bytes <= 9_952
    assert board.region("flash").available_origin >= 0x0800_4000
    assert (board.core, board.clock_hz, board.emulation) == (chip.core, chip.clock_hz, chip.emulation)


def test_pixhawk_is_an_stm32h743_with_static_memory_in_axi_sram_only() -> None:
    chip, board = load("stm32h743"), load("pixhawk_6c")
    assert [r.name for r in board.regions] == ["flash", "axi_sram"]
    assert board.region("flash").size_bytes == chip.region("flash").size_bytes
    # The bootloader and px4_fmu-v6c_default as built: 128 KiB + 1,828,392 bytes.
    assert board.region("flash").reserved_bytes >= 128 * KIB + 1_828_392


def test_pixhawk_4_is_an_stm32f765_with_static_memory_in_sram1_only() -> None:
    chip, board = load("stm32f765"), load("pixhawk_4")
    assert [r.name for r in board.regions] == ["flash", "sram"]
    # PX4's script.ld for fmu-v5: flash from 0x0800 8000, SRAM1 368K from 0x2002 0000; 1,889,441 and 45,748 bytes used.
    assert board.region("flash").size_bytes == chip.region("flash").size_bytes == 2048 * KIB
    assert board.region("flash").reserved_bytes >= 32 * KIB + 1_889_441
    sram = board.region("sram")
    assert (sram.origin, sram.size_bytes) == (0x2002_0000, 368 * KIB)
    # Its heap (here with DTCM and SRAM2) keeps what was measured in use on a newer board.
    assert sram.reserved_bytes - 45_748 + 144 * KIB >= 291_408


def test_openmv_keeps_its_bootloader_file_systems_and_frames() -> None:
    board = load("openmv_cam_h7")
    flash, axi, itcm = (board.region(name) for name in ("flash", "axi_sram", "itcm"))
    # board_config.h: firmware from 0x0804 0000 up to the ROM file system at 0x081E 0000; DTCM is a cache.
    assert flash.origin + flash.bootloader_bytes == 0x0804_0000
    assert flash.available_origin > 0x0804_0000
    assert flash.available_origin + flash.available_bytes == 0x081E_0000
    assert "dtcm" not in [region.name for region in board.regions]
    assert axi.holds == ("buffers",) and axi.reserved_bytes == (32 + 352) * KIB
    assert itcm.holds == ("stack",) and itcm.available_bytes >= board.stack_bytes


def test_raspberry_pi_5_runs_what_its_python_can_install() -> None:
    newer, older = load("raspberry_pi_5").runtime, load("raspberry_pi_4b").runtime
    assert newer is not None and older is not None
    # tflite-runtime ends with Python 3.11.
    assert (older.python, older.tflite_package) == ("3.11", "tflite-runtime")
    assert (newer.python, newer.tflite_package, newer.glibc) == ("3.13", "ai-edge-litert", "2.41")


def test_rp_chips_keep_their_stack_out_of_the_striped_banks() -> None:
    for name, scratch in (("rp2040", 0x2004_0000), ("rp2350", 0x2008_0000)):
        board = load(name)
        assert board.region("sram").holds == ("buffers",)
        assert (board.region("scratch").origin, board.region("scratch").holds) == (scratch, ("stack",))
    assert load("rp2040").region("flash").reserved_bytes == 256
    assert load("rp2350").region("flash").reserved_bytes == 0


def test_the_eye_keeps_buffers_in_the_chips_own_memory() -> None:
    chip, board = load("esp32s3"), load("esp32s3_eye")
    assert board.region("dram") == chip.region("dram") and len(board.regions) == len(chip.regions)
    assert board.region("flash").size_bytes <= 8192 * KIB


def test_emulated_boards_are_the_cortex_m_ones() -> None:
    emulated = {name for name in available() if load(name).emulation is not None}
    assert emulated == {name for name in available() if (load(name).core or "").startswith("cortex-m")}


def test_qemu_memories_hold_no_more_than_the_machine_has() -> None:
    # Measured with QEMU 7.2: origin and usable size of flash and RAM of each machine.
    machines = {
        "netduinoplus2": (0x0800_0000, 1024 * KIB, 0x2000_0000, 128 * KIB),
        "mps2-an385": (0, 4096 * KIB, 0x2000_0000, 4096 * KIB),
        "mps2-an386": (0, 4096 * KIB, 0x2000_0000, 4096 * KIB),
        "mps2-an500": (0, 4096 * KIB, 0x2000_0000, 4096 * KIB),
        "mps2-an505": (0x1000_0000, 4096 * KIB, 0x3800_0000, 4096 * KIB),
        "mps3-an547": (0, 512 * KIB, 0x2000_0000, 512 * KIB),
    }
    for name in available():
        emulation = load(name).emulation
        if emulation is not None:
            assert emulation.qemu_machine is not None
            assert machines[emulation.qemu_machine] == (
                emulation.qemu_flash_origin,
                emulation.qemu_flash_bytes,
                emulation.qemu_ram_origin,
                emulation.qemu_ram_bytes,
            )
