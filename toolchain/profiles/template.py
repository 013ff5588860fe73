"""A first file for a user's own board: it inherits a profile and shows, commented out, what it may change."""

from __future__ import annotations

import json
from pathlib import Path

from toolchain.errors import InputError
from toolchain.files import write_atomic
from toolchain.profiles.catalog import load, locate
from toolchain.profiles.inheritance import NAME, SHIPPED
from toolchain.profiles.schema import Profile, Table

_HEAD = """\
# A board that differs from {parent}: delete the # before what you change, the rest is inherited.
# A table whose numbers you change needs its own source: where the new number comes from.
# Then: spikenas-deploy profiles validate {file}
inherits = {inherits}
title = {title}
"""

_NOTES = {
    "role": "standalone (our image owns the board), hosted (a library in its firmware) or linux",
    "stack_bytes": "kept for the stack where its need is not known from the code (TensorFlow Lite Micro)",
    "interrupt_stack_bytes": "kept beside what our firmware's stack needs, for interrupts that you add",
    "default_formats": "what `export` writes: c, onnx, tflite",
    "integrations": "builds that the C sources are made ready for: crazyflie, px4, zephyr, arduino, platformio",
    "size_bytes": "the whole memory",
    "reserved_bytes": "what your bootloader or firmware keeps of it",
    "reserved_at": "start or end",
    "bootloader_bytes": "the part of it that nothing may ever write (hosted boards)",
    "weight_copies_bytes": "of an SRAM: most that copies of weights may take of what is left, 0 for none",
    "wait_states": "of an access at the board's clock without a cache, for estimates of latency",
    "holds": "any of code, weights, buffers, stack",
    "artifact_bytes": "largest file of the network",
    "resident_bytes": "memory above the bare runtime",
    "latency_ms": "longest time from input to answer, at rate_hz inputs a second",
    "onnxruntime": "newest version that installs on the board",
    "float_macs_per_second": "float32 multiply-accumulates a second, for estimates of latency",
    "active_mw": "milliwatts while it computes, for estimates of energy",
}
_FIXED = (
    "name",
    "title",
    "inherits",
    "regions",
    "linux",
    "runtime",
    "performance",
    "power",
    "calibration",
    "emulation",
    "flashing",
)


def create(parent: str, file: Path) -> Profile:
    """Write a commented profile to ``file`` that inherits ``parent``: a shipped name, or a file beside it.

    Returns the parent. Raises ``InputError`` if the parent is unknown or faulty or lies elsewhere, or if
    ``file`` exists or cannot be written.
    """
    source = locate(parent)
    profile = load(parent)
    if file.suffix != ".toml" or not NAME.fullmatch(file.stem):
        raise InputError(
            f"{file}: call the file NAME.toml, with letters, digits, '-' and '_', as in my_board.toml"
        )
    if file.exists() or file.is_symlink():
        raise InputError(f"{file} exists already; choose another name, or remove it first")
    if source.parent != SHIPPED and source.parent.resolve() != file.parent.resolve():
        raise InputError(
            f"{file}: only a profile in the same folder can be inherited; write it beside {source}"
        )
    write_atomic(file, render(profile, file))
    return profile


def render(parent: Profile, file: Path) -> str:
    """The text of ``create``'s file; a line that starts with # and no space is TOML to be uncommented."""
    text = _HEAD.format(
        parent=parent.name,
        file=file.name,
        inherits=_toml("inherits", parent.name),
        title=_toml("title", f"{file.stem}, after {parent.title}"),
    )
    text += "\n" + _lines(parent)
    tables: dict[str, Table | None] = {f"regions.{region.name}": region for region in parent.regions}
    for name in ("linux", "runtime", "performance", "power", "emulation", "flashing"):
        tables[name] = getattr(parent, name)
    for name, table in tables.items():
        if table is not None:
            text += f"\n#[{name}]\n" + _lines(table)
    if parent.regions:
        text += "\n# To drop an inherited region, name it in this list, above the first table:\n"
        text += f"# omit_regions = [{_toml('name', parent.regions[-1].name)}]\n"
    return text


def _lines(table: Table) -> str:
    text = ""
    for key in type(table).model_fields:
        value = getattr(table, key)
        if value is not None and key not in _FIXED:
            note = f"  # {_NOTES[key]}" if key in _NOTES else ""
            text += f"#{key} = {_toml(key, value)}{note}\n"
    return text


def _toml(key: str, value: object) -> str:
    if key.endswith("origin") and isinstance(value, int):
        return f"{value:#010x}"
    # Printable text, numbers, booleans and lists of text are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
