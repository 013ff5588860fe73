from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support import firmware
from toolchain.errors import InputError
from toolchain.graph.graph import Graph
from toolchain.graph.nodes import Head, Input, Shape
from toolchain.verification.elf import Image, Symbol, read_elf
from toolchain.verification.mailbox import MAGIC, Mailbox, infer_all, stack_high_water


class Memory:
    """A machine that is only memory; ``answer`` is called in place of running."""

    def __init__(self, answer=lambda memory: None) -> None:  # type: ignore[no-untyped-def]
        self.content = bytearray(4096)
        self.answer = answer

    def read(self, address: int, size_bytes: int) -> bytes:
        return bytes(self.content[address : address + size_bytes])

    def write(self, address: int, data: bytes) -> None:
        self.content[address : address + len(data)] = data

    def run_to_idle(self) -> None:
        self.answer(self)


def image(**symbols: tuple[int, int]) -> Image:
    return Image(Path("made.elf"), (), (), {name: Symbol(name, *where) for name, where in symbols.items()})


MAILBOX = Mailbox.of(image(spikenas_mailbox=(0, 32)), firmware.GRAPH)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def test_image_goes_in_as_a_camera_gives_it_and_scores_come_out() -> None:
    def run(memory: Memory) -> None:
        assert memory.read(0, 8) == words(0, 1)
        assert memory.read(16, 8) == bytes([0, 4, 1, 5, 2, 6, 3, 7])
        memory.write(0, words(MAGIC, 0, 2, 1))
        memory.write(24, words(5, 2**32 - 5))

    pixels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    assert MAILBOX.infer(Memory(run), pixels).tolist() == [5, -5]


def test_idle_before_the_work_is_done_is_refused() -> None:
    machine = Memory(lambda memory: memory.write(0, words(MAGIC, 1, 1, 1)))
    with pytest.raises(InputError, match=r"before it had done its work \(command 1, status 1\)"):
        MAILBOX.infer(machine, firmware.image(1))


def test_missing_mailbox_at_boot_is_refused() -> None:
    with pytest.raises(InputError, match="asks for work without a mailbox"):
        MAILBOX.boot(Memory())


def test_no_images_give_no_scores() -> None:
    assert infer_all(Memory(), MAILBOX, np.zeros((0, 2, 2, 2), np.uint8)).shape == (0, 2)


def test_mailbox_of_another_network_is_refused(fixture_elf: Path) -> None:
    wider = Graph(
        (Input("pixels", Shape(1, 4, 4)), *firmware.GRAPH.nodes[1:]),
        1,
        firmware.GRAPH.preprocessing,
        ("a", "b"),
    )
    with pytest.raises(InputError, match="mailbox of 32 bytes, but this network's has 40"):
        Mailbox.of(read_elf(fixture_elf), wider)


def test_size_counts_padding_and_every_score() -> None:
    head = replace(firmware.GRAPH.head, classes=3)
    odd = Graph(
        (Input("pixels", Shape(1, 1, 5)), Head(head.name, head.source, 3)),
        1,
        firmware.GRAPH.preprocessing,
        (),
    )
    assert Mailbox.of(image(spikenas_mailbox=(0, 16 + 8 + 12)), odd).size_bytes == 36


def test_high_water_is_counted_from_the_lowest_changed_word() -> None:
    machine = Memory()
    machine.write(100, b"\xc5" * 100)
    machine.write(180, b"\xc5\xc5\xc4\xc5")
    stack = image(_stack_limit=(100, 0), _stack_top=(200, 0))
    assert stack_high_water(machine, stack) == 20


def test_stack_used_to_its_last_word_is_refused() -> None:
    stack = image(_stack_limit=(100, 0), _stack_top=(200, 0))
    with pytest.raises(InputError, match="used all 100 bytes of its stack"):
        stack_high_water(Memory(), stack)
