from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import firmware
from tests.support.graphs import random_graph
from toolchain.cost.layout import Layout, layout
from toolchain.verification.elf import Image, Section, Symbol
from toolchain.verification.footprint_proof import Proof, arena_findings, findings, proofs

GRAPH = random_graph(2)
PROFILE = firmware.profile(
    regions=(
        firmware.region("flash", "flash", 0x0800_0000, 1 << 20, ("code", "weights")),
        firmware.region("sram", "sram", 0x2000_0000, 1 << 17, ("buffers", "stack")),
    )
)
PLAN = layout(GRAPH, PROFILE)
INFER = "net_infer"


def linked(plan: Layout = PLAN, **changes: Symbol | None) -> Image:
    """An image that keeps to ``plan``, but for the symbols in ``changes``."""
    code = next(item.size_bytes for item in plan.items if item.name == "code")
    address = 0x0800_0000 + code
    symbols = {INFER: Symbol(INFER, 0x0800_0100, 64)}
    for constant in plan.constants:
        name = f"net_{constant.symbol}"
        symbols[name] = Symbol(name, address, constant.size_bytes)
        address += -(-constant.size_bytes // 4) * 4
    flash = address - 0x0800_0000
    mailbox = 0x2000_0000 + plan.stack_bytes
    symbols |= {
        "_stack_limit": Symbol("_stack_limit", 0x2000_0000, 0),
        "_stack_top": Symbol("_stack_top", mailbox, 0),
        "spikenas_mailbox": Symbol("spikenas_mailbox", mailbox, plan.mailbox_bytes),
        "net_arena": Symbol("net_arena", mailbox + plan.mailbox_bytes, plan.arena_bytes),
    }
    sram = plan.stack_bytes + plan.mailbox_bytes + plan.arena_bytes
    sections = (Section(".text", 0x0800_0000, flash, True), Section(".bss", 0x2000_0000, sram, False))
    kept = {name: symbol for name, symbol in (symbols | changes).items() if symbol is not None}
    return Image(Path("made.elf"), (), sections, kept)


def test_image_as_planned_has_no_findings() -> None:
    assert findings(linked(), PLAN, PROFILE) == []
    assert all(proof.holds for proof in proofs(linked(), PLAN, PROFILE))


def test_wrong_symbol_size_is_caught() -> None:
    name = f"net_{PLAN.constants[0].symbol}"
    wrong = replace(linked().symbols[name], size_bytes=PLAN.constants[0].size_bytes + 1)
    assert findings(linked(**{name: wrong}), PLAN, PROFILE) == [
        f"{name} has {PLAN.constants[0].size_bytes + 1} bytes, {PLAN.constants[0].size_bytes} were predicted"
    ]


def test_missing_symbol_is_caught() -> None:
    name = f"net_{PLAN.constants[-1].symbol}"
    assert findings(linked(**{name: None}), PLAN, PROFILE) == [f"{name} is not in the image"]


@pytest.mark.parametrize("name", ["net_arena", "spikenas_mailbox"])
def test_wrong_buffer_is_caught(name: str) -> None:
    right = linked().symbols[name]
    found = findings(linked(**{name: replace(right, size_bytes=right.size_bytes - 4)}), PLAN, PROFILE)
    assert found == [f"{name.split('_')[1]}: {right.size_bytes - 4} bytes used, {right.size_bytes} predicted"]


def test_wrong_stack_is_caught() -> None:
    found = findings(linked(_stack_limit=Symbol("_stack_limit", 0x2000_0008, 0)), PLAN, PROFILE)
    assert found == [f"stack: {PLAN.stack_bytes - 8} bytes used, {PLAN.stack_bytes} predicted"]


def test_misplaced_symbol_is_caught() -> None:
    found = findings(
        linked(net_head_bias=Symbol("net_head_bias", 0x2001_0000, 4 * GRAPH.head.classes)), PLAN, PROFILE
    )
    assert found == ["net_head_bias at 0x20010000 is not in flash, where the plan has it"]


@pytest.mark.parametrize(("used", "holds"), [(980, True), (1020, True), (970, False), (1030, False)])
def test_whole_image_may_differ_by_two_per_cent(used: int, holds: bool) -> None:
    assert Proof("flash, whole image", 1000, used, False).holds is holds
    assert Proof("arena", 1000, used, True).holds is False


def test_code_far_from_its_estimate_is_caught() -> None:
    image = linked()
    text, bss = image.sections
    larger = replace(text, size_bytes=text.size_bytes * 2)
    wrong = [p for p in proofs(replace(image, sections=(larger, bss)), PLAN, PROFILE) if not p.holds]
    assert [proof.sentence for proof in wrong] == [
        f"flash, whole image: {larger.size_bytes} bytes used, {text.size_bytes} predicted"
    ]


def test_another_compilers_code_changes_the_prediction_of_flash_alone() -> None:
    code = next(item.size_bytes for item in PLAN.items if item.name == "code")
    same, other = proofs(linked(), PLAN, PROFILE), proofs(linked(), PLAN, PROFILE, code + 1000)
    differing = [(a, b) for a, b in zip(same, other, strict=True) if a != b]
    assert [(b.name, b.predicted_bytes - a.predicted_bytes) for a, b in differing] == [
        ("flash, whole image", 1000)
    ]


def written_as_planned() -> bytearray:
    record = bytearray(PLAN.arena_bytes)
    for buffer in PLAN.buffers:
        record[buffer.offset_bytes : buffer.offset_bytes + buffer.size_bytes] = b"\1" * buffer.size_bytes
    return record


def test_writes_within_the_buffers_are_as_planned() -> None:
    assert arena_findings(PLAN, bytes(written_as_planned())) == []


def test_write_outside_every_buffer_is_caught() -> None:
    gap = [replace(buffer, size_bytes=buffer.size_bytes - 1) for buffer in PLAN.buffers]
    plan = replace(PLAN, buffers=tuple(gap))
    found = arena_findings(plan, bytes(written_as_planned()))
    assert found and "belong to no buffer were written, first" in found[0]


def test_spikes_that_are_never_written_are_caught() -> None:
    record = written_as_planned()
    spikes = next(buffer for buffer in PLAN.buffers if buffer.name.endswith("_spikes"))
    record[spikes.offset_bytes] = 0
    assert f"1 of the {spikes.size_bytes} bytes of {spikes.name} were never written" in arena_findings(
        PLAN, bytes(record)
    )
