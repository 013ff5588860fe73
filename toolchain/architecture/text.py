"""An architecture as one line that a person can read, type and find again in a journal.

Words separated by one space, in the order in which the data passes:

    t4 leak2 reset-subtract stem16/2 003000 stride32 301203 head-count

- ``t4``: time steps
- ``leak2``: u <- u - (u >> 2); ``decay2``: u <- u >> 2; ``no-leak``
- ``reset-subtract`` or ``reset-zero``
- ``w4`` or ``w2``: weights are stored in 4 or 2 bits; without it in 8
- ``stem16/2``: 3x3 convolution of the pixels to 16 channels with stride 2 (or 1)
- blocks, any number of: a cell's six digits (``toolchain.architecture.cells``); ``stride32``: 3x3 convolution
  with stride 2 to 32 channels; ``pool32``: OR pooling by two, then a 3x3 convolution to 32 channels
- ``head-count`` (spikes counted per channel) or ``head-flatten`` (per neuron)

``parse(to_text(a)) == a`` for every architecture, and ``to_text(parse(line)) == line`` for every line whose
cells have no dead branches.

Lines that begin with ``snasnet`` are those of ``toolchain.architecture.snasnet``; ``parse_any`` reads both.
"""

from __future__ import annotations

import re
from re import Match

from toolchain.architecture import snasnet
from toolchain.architecture.architecture import Architecture, Block, Shrink
from toolchain.architecture.cells import Cell
from toolchain.architecture.snasnet import SnasnetArchitecture
from toolchain.errors import InputError
from toolchain.graph.nodes import Leak

EXAMPLE = "t4 leak2 reset-subtract stem16/2 003000 stride32 301203 head-count"
_NUMBER = "([1-9][0-9]{0,4})"
_MAX_CHARACTERS = 2000

AnyArchitecture = Architecture | SnasnetArchitecture
"""An architecture of any space."""


def to_text(architecture: AnyArchitecture) -> str:
    """The architecture's line, in the form of its space."""
    if isinstance(architecture, SnasnetArchitecture):
        return snasnet.to_text(architecture)
    words = [
        f"t{architecture.time_steps}",
        _leak_text(architecture.leak),
        f"reset-{architecture.reset}",
        *([] if architecture.bits == 8 else [f"w{architecture.bits}"]),
        f"stem{architecture.stem_channels}/{architecture.stem_stride}",
    ]
    words += [
        f"{block.form}{block.channels}" if isinstance(block, Shrink) else str(block)
        for block in architecture.blocks
    ]
    return " ".join([*words, f"head-{architecture.head}"])


def parse_any(line: str) -> AnyArchitecture:
    """Read a line of any space, told apart by the first word; raises as ``parse`` does."""
    return snasnet.parse(line) if line.split()[:1] == [snasnet.SPACE] else parse(line)


def parse(line: str) -> Architecture:
    """Read a line of the ``spikenas`` space; raises ``InputError`` naming the word that stands where it should not."""
    words = line.split() if len(line) <= _MAX_CHARACTERS else []
    bits = words.pop(3) if len(words) > 3 and words[3].startswith("w") else None
    if len(words) < 5:
        raise InputError(f"architecture {line[:60]!r} is not a line such as: {EXAMPLE}")
    time_steps, leak, reset, stem, *blocks, head = words
    channels, stride = _match(f"stem{_NUMBER}/([12])", stem, "the stem, such as stem16/2").groups()
    return Architecture(
        time_steps=int(_match("t([1-8])", time_steps, "the time steps, t1 to t8")[1]),
        leak=_parse_leak(leak),
        reset=_match("reset-(subtract|zero)", reset, "reset-subtract or reset-zero")[1],  # type: ignore[arg-type]
        stem_channels=int(channels),
        stem_stride=int(stride),
        blocks=tuple(_parse_block(word) for word in blocks),
        head=_match("head-(count|flatten)", head, "head-count or head-flatten")[1],  # type: ignore[arg-type]
        bits=8 if bits is None else int(_match("w([42])", bits, "the bits of a weight, w4 or w2,")[1]),
    )


def _leak_text(leak: Leak) -> str:
    return {"none": "no-leak", "subtract": f"leak{leak.shift}", "shift": f"decay{leak.shift}"}[leak.form]


def _parse_leak(word: str) -> Leak:
    if word == "no-leak":
        return Leak("none")
    found = _match(f"(leak|decay){_NUMBER}", word, "the leak, such as leak2, decay1 or no-leak")
    return Leak("subtract" if found[1] == "leak" else "shift", int(found[2]))


def _parse_block(word: str) -> Block:
    if word.isdigit():
        return Cell.parse(word)
    found = _match(
        f"(stride|pool){_NUMBER}", word, "a cell such as 003000, or a shrink such as stride32 or pool32"
    )
    return Shrink(found[1], int(found[2]))  # type: ignore[arg-type]


def _match(pattern: str, word: str, wanted: str) -> Match[str]:
    found = re.fullmatch(pattern, word, re.ASCII)
    if not found:
        raise InputError(
            f"architecture: {word[:40]!r} stands where {wanted} belongs; a whole line is: {EXAMPLE}"
        )
    return found
