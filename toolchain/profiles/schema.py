"""What a hardware profile says: one pydantic model per table of its TOML file.

Numbers have their unit in their name. Every table that holds numbers has a ``source``: the data sheet,
reference manual or page of the flight firmware that they come from, or ``estimate: why`` where they are ours.
Types and spelling are checked here; whether the numbers make sense together is checked in ``rules``.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Strict

Role = Literal["standalone", "hosted", "linux"]
"""Our image may own the board; it is a library in the board's firmware; it is files on a Linux system."""

Core = Literal[
    "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "xtensa-lx7"
]
Content = Literal["code", "weights", "buffers", "stack"]
Format = Literal["c", "onnx", "tflite"]
Integration = Literal["cmake", "crazyflie", "px4", "zephyr", "arduino", "platformio"]

Item = TypeVar("Item")
# TOML and JSON know lists only, which a strict model would not take for a tuple.
Row = Annotated[tuple[Item, ...], Strict(False)]


class Table(BaseModel):
    """Base of every table: frozen, no unknown keys, no silent conversion ("128" is not a number)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Region(Table):
    """One contiguous memory of a microcontroller, ``[regions.NAME]``.

    ``reserved_bytes`` at its start or end belong to somebody else (bootloader, flight firmware); the network
    gets the rest. ``holds`` lists what may be placed there. Of a hosted board's flash the first
    ``bootloader_bytes`` of what is reserved are the bootloader, which nothing here ever writes. Of an SRAM, copies of
    weights may take up to ``weight_copies_bytes`` of what is left: the start-up code copies those that are read most
    from flash, which pays where flash has wait states and this memory has none. ``wait_states`` are those of an access
    at the board's clock without a cache, None where no source says so.
    """

    name: str
    kind: Literal["flash", "sram"]
    origin: int
    size_bytes: int
    reserved_bytes: int = 0
    reserved_at: Literal["start", "end"] = "start"
    bootloader_bytes: int = 0
    weight_copies_bytes: int = 0
    wait_states: int | None = None
    holds: Row[Content]
    source: str

    @property
    def available_origin(self) -> int:
        """First address that the network may use."""
        return self.origin + (self.reserved_bytes if self.reserved_at == "start" else 0)

    @property
    def available_bytes(self) -> int:
        """Bytes that the network may use."""
        return self.size_bytes - self.reserved_bytes


class LinuxLimits(Table):
    """What a network may cost on a Linux board, ``[linux]``; resident memory is above the bare runtime."""

    artifact_bytes: int
    resident_bytes: int
    latency_ms: float
    rate_hz: float
    ram_bytes: int
    source: str


class Runtime(Table):
    """What the board's software can load, ``[runtime]``; exporters keep to it.

    ``onnxruntime`` is the newest version that installs there, ``onnx_opset`` and ``onnx_ir_version`` are what
    an ONNX file for this board is written with. ``tflite_package`` is the interpreter's wheel that installs
    there, absent if none does.
    """

    os_release: str
    glibc: str
    python: str
    onnxruntime: str
    onnx_opset: int
    onnx_ir_version: int
    tensorrt: str | None = None
    gpu_int8: bool = False
    gpu_fp16: bool = False
    tflite_package: str | None = None
    tflite_version: str | None = None
    source: str


class Performance(Table):
    """How fast the board is, ``[performance]``: an estimate of float32 multiply-accumulates a second."""

    float_macs_per_second: float
    source: str


class Power(Table):
    """What the board draws while it computes, ``[power]``, for estimates of energy.

    ``active_mw``: milliwatts with the core, or one core, busy and nothing else switched on; for a
    microcontroller the chip's run-mode current times its supply voltage.
    """

    active_mw: float
    source: str


class Calibration(Table):
    """What one board was measured to take, ``[calibration]``: ``verify --calibrate`` writes it to a user's profile.

    Estimates use it in place of the profile's own rates. A Linux board: ``onnx_macs_per_second`` and
    ``tflite_macs_per_second`` are the cost model's operations over the measured time, ``onnx_resident_factor`` and
    ``tflite_resident_factor`` the measured memory over the estimated. A microcontroller: ``cycles_per_instruction`` are
    measured cycles over emulated instructions, ``cycles_per_estimated_instruction`` the same over those that the cost
    model predicts. ``board`` is what was measured, ``measured_on`` the day (ISO 8601).
    """

    board: str
    measured_on: str
    onnx_macs_per_second: float | None = None
    onnx_resident_factor: float | None = None
    tflite_macs_per_second: float | None = None
    tflite_resident_factor: float | None = None
    cycles_per_instruction: float | None = None
    cycles_per_estimated_instruction: float | None = None
    source: str


class Emulation(Table):
    """How the board is emulated, ``[emulation]``.

    ``unicorn_cpu`` is unicorn's name of the core (its constant without ``UC_CPU_ARM_``); unicorn maps the
    profile's own regions. ``qemu_machine`` is the nearest machine of QEMU, for a second opinion, with that
    machine's own memories.
    """

    unicorn_cpu: str | None = None
    qemu_machine: str | None = None
    qemu_flash_origin: int | None = None
    qemu_flash_bytes: int | None = None
    qemu_ram_origin: int | None = None
    qemu_ram_bytes: int | None = None
    source: str


class Flashing(Table):
    """What the programs that write the board's flash call it, ``[flashing]``; each of ``flash_tools`` needs its own.

    ``pyocd_target``: pyOCD's target type. ``openocd_target``: OpenOCD's file for the chip, and
    ``openocd_interface`` the debug probe that is most used with it (``interface/NAME.cfg``). ``dfu_device``:
    vendor and product in the ROM's USB bootloader, or with ``dfu_alt`` in the board's own, which takes plain DFU and
    knows itself where that alternate setting lies. ``stm32loader_family``: as that program abbreviates it.
    ``uf2_family``: family of the board's UF2 files, ``uf2_board`` the Board-ID in its INFO_UF2.TXT.
    ``bootloader_board``: number of the board in the PX4 and ArduPilot bootloader. ``esptool_chip`` and
    ``application_offset``: the chip's name, and where in its flash the application lies.
    """

    pyocd_target: str | None = None
    openocd_target: str | None = None
    openocd_interface: str | None = None
    dfu_device: str | None = None
    dfu_alt: int | None = None
    stm32loader_family: str | None = None
    uf2_family: int | None = None
    uf2_board: str | None = None
    bootloader_board: int | None = None
    esptool_chip: str | None = None
    application_offset: int | None = None
    source: str


class Profile(Table):
    """A board: what it has, what the rest of its firmware keeps, what its software can load.

    ``regions`` are in order of preference: buffers go into the first that may hold them and has room.
    ``stack_bytes`` are kept for the stack of firmware whose need is not known from its code: with TensorFlow Lite
    Micro, on a core that nothing here is built for, or of the task in a firmware that calls the network. What our
    image needs is known; ``interrupt_stack_bytes`` are kept beside that, for handlers of interrupts that you add.
    ``integrations`` are the builds that the C sources are made ready for, beside CMake.
    ``source`` is that of the clock and the stack.
    """

    name: str
    title: str
    role: Role
    inherits: str | None = None
    source: str
    clock_hz: int
    core: Core | None = None
    stack_bytes: int = 0
    interrupt_stack_bytes: int = 0
    regions: Row[Region] = ()
    linux: LinuxLimits | None = None
    runtime: Runtime | None = None
    performance: Performance | None = None
    power: Power | None = None
    calibration: Calibration | None = None
    emulation: Emulation | None = None
    flashing: Flashing | None = None
    default_formats: Row[Format]
    integrations: Row[Integration] = ()
    flash_tools: Row[str] = ()
    pixels: str | None = None

    def region(self, name: str) -> Region:
        """The region called ``name``; raises ``KeyError`` if there is none."""
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)
