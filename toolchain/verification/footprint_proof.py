"""Predicted against used: the plan that the search counted with, held against the linked image.

Nothing here trusts the exporter: sizes come from the symbols and addresses that the linker wrote. Buffers and
weights must be equal to the byte; the whole image may differ by 2 %, because code sizes are estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.cost.layout import Item, Layout
from toolchain.profiles.schema import Profile
from toolchain.verification.elf import Image, Symbol
from toolchain.verification.image_use import used_bytes
from toolchain.verification.network_symbols import network_name

TOLERANCE = 0.02
"""Share by which flash and SRAM of the whole image may differ from the prediction."""


@dataclass(frozen=True)
class Proof:
    """Bytes of one thing: as predicted, and as the image has them. ``exact`` things may not differ at all."""

    name: str
    predicted_bytes: int
    used_bytes: int
    exact: bool

    @property
    def holds(self) -> bool:
        """Whether the prediction is good enough."""
        error = abs(self.used_bytes - self.predicted_bytes)
        return error == 0 if self.exact else error <= TOLERANCE * max(self.predicted_bytes, self.used_bytes)

    @property
    def sentence(self) -> str:
        """Both figures, as a sentence's end."""
        return f"{self.name}: {self.used_bytes} bytes used, {self.predicted_bytes} predicted"


def proofs(image: Image, plan: Layout, profile: Profile, code_bytes: int | None = None) -> list[Proof]:
    """Everything that the plan predicts, each with what the image has of it.

    ``code_bytes`` is the predicted size of the code if another compiler made it than the plan assumes. Raises
    ``InputError`` if the image lies outside the profile's memories or its stack has no symbols.
    """
    name = network_name(image)
    constants = [image.symbols.get(f"{name}_{constant.symbol}") for constant in plan.constants]
    copied = [section.size_bytes for section in image.sections if section.name == ".copies"]
    stack = image.symbol("_stack_top").address - image.symbol("_stack_limit").address
    used = used_bytes(image, profile)
    found = [
        Proof(
            "constants",
            sum(c.size_bytes for c in plan.constants),
            sum(s.size_bytes for s in constants if s),
            True,
        ),
        Proof("arena", plan.arena_bytes, _size(image.symbols.get(f"{name}_arena")), True),
        Proof("mailbox", plan.mailbox_bytes, _size(image.symbols.get("spikenas_mailbox")), True),
        Proof("stack", plan.stack_bytes, stack, True),
    ]
    if plan.copies or copied:
        found.append(Proof("copies", plan.copies.size_bytes if plan.copies else 0, sum(copied), True))
    planned_code = sum(item.size_bytes for item in plan.items if item.name == "code")
    flash = plan.flash_bytes if code_bytes is None else plan.flash_bytes - planned_code + code_bytes
    for kind, predicted in (("flash", flash), ("sram", plan.sram_bytes)):
        total = sum(used[region.name] for region in profile.regions if region.kind == kind)
        found.append(Proof(f"{kind}, whole image", predicted, total, False))
    return found


def findings(image: Image, plan: Layout, profile: Profile) -> list[str]:
    """Where the image contradicts what the plan says exactly, each as a sentence's end; empty if nowhere."""
    found = []
    name = network_name(image)
    for constant in plan.constants:
        symbol = image.symbols.get(f"{name}_{constant.symbol}")
        if symbol is None:
            found.append(f"{name}_{constant.symbol} is not in the image")
        elif symbol.size_bytes != constant.size_bytes:
            found.append(f"{symbol.name} has {symbol.size_bytes} bytes, {constant.size_bytes} were predicted")
    for item in plan.items:
        found += _misplaced(image, plan, item, profile)
    for proof in proofs(image, plan, profile):
        # Constants have been told one by one.
        if proof.exact and not proof.holds and proof.name != "constants":
            found.append(proof.sentence)
    return found


def _misplaced(image: Image, plan: Layout, item: Item, profile: Profile) -> list[str]:
    network = network_name(image)
    copied = plan.copies.symbols if plan.copies else ()
    names = {
        "constants": [f"{network}_{c.symbol}" for c in plan.constants if c.symbol not in copied],
        "copies": [f"{network}_{symbol}" for symbol in copied],
        "arena": [f"{network}_arena"],
        "mailbox": ["spikenas_mailbox"],
        "stack": ["_stack_limit"],
        "code": [f"{network}_infer"],
    }[item.name]
    region = profile.region(item.region)
    first, end = region.available_origin, region.available_origin + region.available_bytes
    symbols = (image.symbols.get(name) for name in names)
    return [
        f"{symbol.name} at 0x{symbol.address:08x} is not in {region.name}, where the plan has it"
        for symbol in symbols
        if symbol is not None and not first <= symbol.address <= symbol.address + symbol.size_bytes <= end
    ]


def arena_findings(plan: Layout, written: bytes) -> list[str]:
    """What in the record of writes (one byte for each byte of the arena, 1 if written) contradicts the plan."""
    planned = bytearray(len(written))
    for buffer in plan.buffers:
        end = min(buffer.offset_bytes + buffer.size_bytes, len(written))
        planned[buffer.offset_bytes : end] = b"\1" * (end - buffer.offset_bytes)
    found = []
    outside = [index for index, byte in enumerate(written) if byte and not planned[index]]
    if outside:
        found.append(
            f"{len(outside)} bytes of the arena that belong to no buffer were written, first {outside[0]}"
        )
    for buffer in plan.buffers:
        missing = buffer.size_bytes - sum(
            written[buffer.offset_bytes : buffer.offset_bytes + buffer.size_bytes]
        )
        if buffer.name.endswith("_spikes") and missing:
            found.append(f"{missing} of the {buffer.size_bytes} bytes of {buffer.name} were never written")
    return found


def _size(symbol: Symbol | None) -> int:
    return symbol.size_bytes if symbol else 0
