"""Firmware as a programmer takes it: Intel HEX, UF2, an application of ESP-IDF, or raw bytes; none has names."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from toolchain.errors import InputError
from toolchain.flashing import esp_image
from toolchain.framing.mapped import Content, mapped
from toolchain.inspecting.info_block import MAX_SEARCHED_BYTES, blocks_in, facts_of
from toolchain.inspecting.structure import Loaded, Structure, shares
from toolchain.verification.elf import Image, Segment
from toolchain.verification.hex_file import read_hex
from toolchain.verification.uf2_file import families, read_uf2

SECOND_STAGE_BYTES = 256
"""What the boot ROM of an RP2040 runs before the firmware, whose vectors lie behind it (RP2040 data sheet, 2.8.1.3)."""

_VECTORS = struct.Struct("<II")
_ESP_MAGIC = 0xE9
_NO_NAMES = "no file of this kind has names; inspect the .elf that it was made from for symbols and sections"
_NO_NETWORK = "it holds no network that spikenas-deploy exported"


def inspect_hex(path: Path) -> Structure:
    """What the Intel HEX file ``path`` loads; raises ``InputError`` if it is broken."""
    return _addressed(path, "firmware (Intel HEX)", read_hex(path), {})


def inspect_uf2(path: Path) -> Structure:
    """What the UF2 file ``path`` loads, and for which families of boards; raises ``InputError`` if it is broken."""
    image = read_uf2(path)
    return _addressed(path, "firmware (UF2)", image, {"uf2_families": [f"0x{n:08x}" for n in families(path)]})


def inspect_binary(path: Path) -> Structure:
    """The segments of an ESP-IDF application; of other raw bytes what a Cortex-M would read first."""
    with mapped(path) as content:
        if content[0] == _ESP_MAGIC and len(content) <= MAX_SEARCHED_BYTES:
            try:
                return _esp_application(path, bytes(content))
            except InputError as error:
                # It may be anything else that begins with this byte, such as a bootloader of ESP-IDF.
                return _raw(path, content, (str(error),))
        return _raw(path, content, ())


def _addressed(path: Path, form: str, image: Image, facts: dict[str, object]) -> Structure:
    """An image that says where it goes."""
    size = path.stat().st_size
    blocks = [block for segment in image.segments for block in blocks_in(segment.data)]
    return Structure(
        path,
        form,
        size,
        by_kind=shares(size, []),
        loaded=tuple(Loaded(segment.load_address, len(segment.data)) for segment in image.segments),
        facts=facts | _vectors(image.segments) | facts_of(blocks),
        notes=(_NO_NAMES, *([] if blocks else [_NO_NETWORK])),
    )


def _esp_application(path: Path, content: bytes) -> Structure:
    found = esp_image.parse(path, content)
    names = {number: name for name, number in esp_image.CHIPS.items()}
    blocks = blocks_in(content)
    return Structure(
        path,
        "firmware (ESP-IDF application)",
        len(content),
        by_kind=shares(len(content), [("metadata", len(block)) for block in blocks]),
        loaded=tuple(Loaded(address, len(data)) for address, data in found.segments),
        facts={
            "chip": names.get(found.chip, f"number {found.chip}"),
            "entry": f"0x{found.entry:08x}",
            "elf_sha256": found.elf_sha256,
            **facts_of(blocks),
        },
        notes=(_NO_NAMES, *([] if blocks else [_NO_NETWORK])),
    )


def _raw(path: Path, content: Content, notes: Sequence[str]) -> Structure:
    """Bytes that do not even say where they go."""
    stack, reset = _VECTORS.unpack_from(content)
    blocks = blocks_in(content)
    vectors = stack % 4 == 0 and reset % 2 == 1
    said = ["raw bytes without names or addresses; inspect the firmware.elf that they were made from", *notes]
    said += [] if vectors else ["it does not begin with a Cortex-M vector table"]
    said += [] if blocks else [_NO_NETWORK]
    return Structure(
        path,
        "firmware (raw)",
        len(content),
        by_kind=shares(len(content), [("metadata", len(block)) for block in blocks]),
        facts=(_entry(stack, reset) if vectors else {}) | facts_of(blocks),
        notes=tuple(said),
    )


def _vectors(segments: Sequence[Segment]) -> dict[str, object]:
    """Where a Cortex-M begins: the first table whose reset handler lies in what is loaded."""
    for segment in segments:
        for offset in (0, SECOND_STAGE_BYTES):
            if offset + _VECTORS.size > len(segment.data):
                continue
            stack, reset = _VECTORS.unpack_from(segment.data, offset)
            if stack and stack % 4 == 0 and reset % 2 == 1 and _is_loaded(reset & ~1, segments):
                return {"vector table": f"0x{segment.load_address + offset:08x}", **_entry(stack, reset)}
    return {}


def _is_loaded(address: int, segments: Sequence[Segment]) -> bool:
    return any(0 <= address - segment.load_address < len(segment.data) for segment in segments)


def _entry(stack: int, reset: int) -> dict[str, object]:
    return {"initial stack pointer": f"0x{stack:08x}", "reset handler": f"0x{reset & ~1:08x}"}
