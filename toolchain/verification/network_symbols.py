"""Which bytes of somebody's firmware are the network's: told by the names that its sources give, and sections.

An exported network calls everything `NAME_...`, with NAME chosen at export, and its kernels `snn_...`. What a compiler
adds without a name (a jump table, a literal shared between functions) is not told apart and counts as the firmware's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

from toolchain.errors import InputError
from toolchain.verification.elf import Image

KERNELS = "snn_"
"""How the names of the C library's kernels begin, whatever the network is called."""

DEFAULT_NAME = "net"
"""What a network is called unless `export --prefix` says otherwise."""

_ENTRY, _MEMORY = "_infer", "_arena"

Range = tuple[int, int]
"""First address, and the address behind the last."""


def prefixes_of(image: Image, wanted: Iterable[str] = ()) -> tuple[str, ...]:
    """How the names of the network's symbols begin: as ``wanted``, or those of every exported network in ``image``.

    Empty if nothing is wanted and there is none. Raises ``InputError`` if a wanted prefix begins no symbol.
    """
    names = sorted({symbol.name for symbol in image.objects})
    wanted = tuple(wanted)
    for prefix in wanted:
        at = bisect_left(names, prefix)
        if not prefix or at == len(names) or not names[at].startswith(prefix):
            raise InputError(
                f"{image.path} has no function or variable whose name begins with {prefix!r:.80}; give the prefix of "
                "your network's symbols, and keep the symbols in the file (do not strip it)"
            )
    known = set(names)
    found = wanted or tuple(
        name.removesuffix(_ENTRY) + "_"
        for name in names
        if name.endswith(_ENTRY) and name.removesuffix(_ENTRY) + _MEMORY in known
    )
    return (*found, KERNELS) if found else ()


def network_name(image: Image) -> str:
    """What the one network of an exported image was called at export; the default if no symbols tell."""
    names = [prefix.removesuffix("_") for prefix in prefixes_of(image) if prefix != KERNELS]
    return names[0] if len(names) == 1 else DEFAULT_NAME


class NetworkBytes:
    """Addresses, as the image runs, that are the network's."""

    def __init__(self, image: Image, prefixes: tuple[str, ...]) -> None:
        claimed = [
            (symbol.address, symbol.address + symbol.size_bytes)
            for symbol in image.objects
            if symbol.name.startswith(prefixes)
        ]
        claimed += [
            (section.address, section.address + section.size_bytes)
            for section in image.sections
            # As in `.bss.net_arena`: a linker script may give a buffer a section of its own.
            if any(part.startswith(prefixes) for part in section.name.split("."))
        ]
        self.ranges = merged(claimed if prefixes else ())
        self._starts = [start for start, _ in self.ranges]
        self._ends = [end for _, end in self.ranges]
        self._sums = [0, *accumulate(end - start for start, end in self.ranges)]

    def within(self, start: int, end: int) -> int:
        """How many bytes of an address range are the network's."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        if first >= last:
            return 0
        outside = max(0, start - self._starts[first]) + max(0, self._ends[last - 1] - end)
        return self._sums[last] - self._sums[first] - outside


def merged(ranges: Iterable[Range]) -> list[Range]:
    """``ranges`` in order of address, those that touch or overlap as one."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
