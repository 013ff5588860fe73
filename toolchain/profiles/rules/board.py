"""Rules about the board as a whole: role, limits, runtime, formats, emulation, sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from toolchain.profiles.findings import shown
from toolchain.profiles.schema import Profile, Role, Table

UNICORN_CPUS = {
    "cortex-m0plus": "CORTEX_M0",
    "cortex-m3": "CORTEX_M3",
    "cortex-m4": "CORTEX_M4",
    "cortex-m7": "CORTEX_M7",
    "cortex-m33": "CORTEX_M33",
}
"""Core -> unicorn's model of it (unicorn 2.1, unicorn/arm_const.py); M0+ differs from M0 in timing and
options only.
"""

SLOWEST_HZ = 1_000_000
"""No core here runs slower: less is a clock in kilohertz or megahertz."""

OLDEST_OPSET = 13
"""DequantizeLinear takes a scale per channel from this opset on (ONNX operator changelog)."""


class FlashTool(NamedTuple):
    """Boards of which roles a tool writes, and what it needs to know of them from ``[flashing]``."""

    roles: tuple[Role, ...]
    needs: tuple[str, ...] = ()


FLASH_TOOLS = {
    "pyocd": FlashTool(("standalone",), ("pyocd_target",)),
    "openocd": FlashTool(("standalone",), ("openocd_target", "openocd_interface")),
    "gdb": FlashTool(("standalone",)),
    "dfu-util": FlashTool(("standalone", "hosted"), ("dfu_device",)),
    "stm32loader": FlashTool(("standalone",), ("stm32loader_family",)),
    "picotool": FlashTool(("standalone",), ("uf2_family",)),
    "uf2": FlashTool(("standalone",), ("uf2_family", "uf2_board")),
    "cfloader": FlashTool(("hosted", "standalone")),
    "px_uploader": FlashTool(("hosted", "standalone"), ("bootloader_board",)),
    "esptool": FlashTool(("hosted",), ("esptool_chip", "application_offset")),
    "ssh": FlashTool(("linux",)),
}
"""The tools that ``toolchain.flashing`` has."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]*")
_VERSION = re.compile(r"\d+(\.\d+){0,3}")


def role_has_its_tables(profile: Profile) -> Iterator[str]:
    """A Linux board has [linux] and [runtime]; a microcontroller has neither, and no [performance]."""
    if profile.role == "linux":
        for name in ("linux", "runtime"):
            if getattr(profile, name) is None:
                yield f"a Linux board needs [{name}]; add it"
        if profile.emulation is not None:
            yield "[emulation] is for microcontrollers; remove it"
    else:
        for name in ("linux", "runtime", "performance"):
            if getattr(profile, name) is not None:
                yield f'[{name}] is for Linux boards; remove it, or set role = "linux"'


def core_is_named(profile: Profile) -> Iterator[str]:
    """A microcontroller names its core, which decides the compiler's flags and the kernels; a Linux board
    does not.
    """
    if profile.role != "linux" and profile.core is None:
        yield 'core is missing; name it, as in core = "cortex-m4"'
    if profile.role == "linux" and profile.core is not None:
        yield "core is for microcontrollers; remove it"


def speeds_are_positive(profile: Profile) -> Iterator[str]:
    """The clock is hertz, not megahertz, and the estimated float speed is above zero."""
    if profile.clock_hz < SLOWEST_HZ:
        yield f"clock_hz is {profile.clock_hz}; give the clock in hertz, as in 100_000_000 for 100 MHz"
    if profile.performance is not None and profile.performance.float_macs_per_second <= 0:
        yield "[performance] float_macs_per_second must be above 0"


def power_is_positive(profile: Profile) -> Iterator[str]:
    """The power that the board draws while it computes is above zero, in milliwatts."""
    if profile.power is not None and profile.power.active_mw <= 0:
        yield f"[power] active_mw is {profile.power.active_mw:g}; give milliwatts above 0, or leave [power] out"


def calibration_is_of_this_board(profile: Profile) -> Iterator[str]:
    """What [calibration] measured is above zero and suits the board: onnx and tflite a Linux board, cycles a
    microcontroller; measured_on is a day, as in 2026-01-31.
    """
    found = profile.calibration
    if found is None:
        return
    measured = {
        key: value
        for key, value in found.model_dump().items()
        if value is not None and not isinstance(value, str)
    }
    if not measured:
        yield "[calibration] has no measured number; remove it, or write it with `verify --calibrate`"
    for key, value in measured.items():
        if value <= 0:
            yield f"[calibration] {key} is {value:g}; a measured number is above 0"
        if key.startswith("cycles_") == (profile.role == "linux"):
            yield f"[calibration] {key} is not for a {profile.role} board; remove it"
    try:
        date.fromisoformat(found.measured_on)
    except ValueError:
        yield f"[calibration] measured_on is {shown(found.measured_on)}; write a day, as in 2026-01-31"


def linux_limits_agree(profile: Profile) -> Iterator[str]:
    """Limits are above zero, the latency leaves time for the stated rate, and the board has the memory."""
    limits = profile.linux
    if limits is None:
        return
    for key in ("artifact_bytes", "resident_bytes", "latency_ms", "rate_hz", "ram_bytes"):
        if getattr(limits, key) <= 0:
            yield f"[linux] {key} must be above 0"
    if limits.rate_hz > 0 and limits.latency_ms > 1000 / limits.rate_hz:
        period = 1000 / limits.rate_hz
        yield f"[linux] latency_ms is longer than the {period:.3g} ms between inputs at rate_hz; lower one"
    if limits.resident_bytes > limits.ram_bytes:
        yield "[linux] resident_bytes is more than ram_bytes; lower it"


def runtime_versions_are_versions(profile: Profile) -> Iterator[str]:
    """Versions in [runtime] are digits and dots; the opset has scales per channel; package and version come
    together.
    """
    runtime = profile.runtime
    if runtime is None:
        return
    for key in ("glibc", "python", "onnxruntime", "tensorrt", "tflite_version"):
        version = getattr(runtime, key)
        if version is not None and not _VERSION.fullmatch(version):
            yield f"[runtime] {key} is {shown(version)}; write digits and dots, as in 1.11"
    if runtime.onnx_opset < OLDEST_OPSET or runtime.onnx_ir_version < 1:
        yield f"[runtime] onnx_opset must be {OLDEST_OPSET} or newer, and onnx_ir_version above 0"
    if (runtime.tflite_package is None) != (runtime.tflite_version is None):
        yield "[runtime] tflite_package and tflite_version come together; give both or neither"


def formats_can_be_loaded(profile: Profile) -> Iterator[str]:
    """default_formats lists, each once, what the board can load: c on a microcontroller; onnx, and tflite
    with its package, on Linux.
    """
    formats = profile.default_formats
    if not formats or len(set(formats)) != len(formats):
        yield "default_formats must list at least one format, each once"
    if profile.role != "linux":
        wrong = [name for name in formats if name != "c"]
        if wrong:
            yield f'default_formats has {", ".join(wrong)}, but a microcontroller takes c; write ["c"]'
    elif "tflite" in formats and profile.runtime is not None and profile.runtime.tflite_package is None:
        yield "default_formats has tflite, but [runtime] names no tflite_package; remove tflite"


def emulation_is_whole(profile: Profile) -> Iterator[str]:
    """The emulated core is the board's own, and a QEMU machine comes with the origin and size of its flash
    and RAM.
    """
    emulation = profile.emulation
    if emulation is None:
        return
    expected = UNICORN_CPUS.get(profile.core or "")
    if emulation.unicorn_cpu not in (None, expected):
        advice = f"write {expected}" if expected else "remove it, unicorn has no such core"
        yield f"[emulation] unicorn_cpu is not the model of {profile.core}; {advice}"
    memories = [
        emulation.qemu_flash_origin,
        emulation.qemu_flash_bytes,
        emulation.qemu_ram_origin,
        emulation.qemu_ram_bytes,
    ]
    if any((value is None) != (emulation.qemu_machine is None) for value in memories):
        yield "[emulation] qemu_machine comes with origin and bytes of its flash and ram; give all or none"
    if any(value is not None and value < 0 for value in memories):
        yield "[emulation] origins and bytes of the QEMU machine must not be negative"


def integrations_are_for_sources(profile: Profile) -> Iterator[str]:
    """integrations come with the format c, each once."""
    if len(set(profile.integrations)) != len(profile.integrations):
        yield "integrations must list each one once"
    if profile.integrations and "c" not in profile.default_formats:
        yield "integrations are of C sources, and default_formats has no c; remove them"


def flash_tools_are_known(profile: Profile) -> Iterator[str]:
    """flash_tools names tools that `flash` has for boards of this role, each once."""
    if len(set(profile.flash_tools)) != len(profile.flash_tools):
        yield "flash_tools must list each tool once"
    for name in profile.flash_tools:
        tool = FLASH_TOOLS.get(name)
        if tool is None or profile.role not in tool.roles:
            known = [known for known, tool in FLASH_TOOLS.items() if profile.role in tool.roles]
            yield f"flash_tools has {shown(name)}; for a {profile.role} board there are {', '.join(known)}"


def names_for_tools_are_words(profile: Profile) -> Iterator[str]:
    """What [flashing] says ends up in a command line: a name is letters, digits and - _ . / : after a letter or digit,
    and a number is not negative.
    """
    for key, value in profile.flashing.model_dump().items() if profile.flashing else ():
        if key != "source" and isinstance(value, str) and (not _WORD.fullmatch(value) or ".." in value):
            yield f"[flashing] {key} is {shown(value)}; write the name as the tool has it"
        if isinstance(value, int) and not 0 <= value < 2**32:
            yield f"[flashing] {key} is {value}; give a number from 0 to 2^32 - 1"


def texts_are_readable(profile: Profile) -> Iterator[str]:
    """Every text has content, and printable characters only: it is shown in terminals and reports."""
    tables: dict[str, Table | None] = {
        "": profile,
        "linux": profile.linux,
        "runtime": profile.runtime,
        "performance": profile.performance,
        "power": profile.power,
        "calibration": profile.calibration,
        "emulation": profile.emulation,
        "flashing": profile.flashing,
    }
    tables |= {f"regions.{region.name}": region for region in profile.regions}
    for where, table in tables.items():
        for key in type(table).model_fields if table is not None else ():
            value = getattr(table, key)
            texts = value if isinstance(value, tuple) else (value,)
            for text in texts:
                if isinstance(text, str) and (not text.strip() or not text.isprintable()):
                    place = f"[{where}] {key}" if where else key
                    yield f"{place} is empty or has unprintable characters; mend it"


RULES = (
    role_has_its_tables,
    core_is_named,
    speeds_are_positive,
    power_is_positive,
    calibration_is_of_this_board,
    linux_limits_agree,
    runtime_versions_are_versions,
    formats_can_be_loaded,
    emulation_is_whole,
    integrations_are_for_sources,
    flash_tools_are_known,
    names_for_tools_are_words,
    texts_are_readable,
)
