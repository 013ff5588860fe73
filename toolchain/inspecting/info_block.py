"""What an exported network says of itself in a firmware image: ``snn_info`` of the exporter's snn.h."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, get_args

from toolchain.cost.code_size import Compiler
from toolchain.cost.packing import INFO_BYTES
from toolchain.framing.mapped import Content
from toolchain.graph.graph import MAX_TIME_STEPS

MOST_NETWORKS = 16
"""Blocks of one image that are told; an image has one, or a few."""

MAX_SEARCHED_BYTES = 64 * 1024 * 1024
"""Of an image so much is searched: more than any chip here has of flash."""

_INFO = struct.Struct("<16s8s32sI")
"""Version of the exporter, compiler, hash of the network, time steps."""

_COMPILERS = (
    b"(?:" + b"|".join(re.escape(name.encode().ljust(8, b"\0")) for name in get_args(Compiler)) + b")"
)
_BLOCK = re.compile(
    # The first digit of a version is rare enough to look 16 bytes further each time.
    b"[0-9](?=.{15}%(compiler)b)[0-9A-Za-z.+!-]{0,14}\\0{1,15}%(compiler)b.{32}[\\1-\\%(steps)o]\\0{3}"
    % {b"compiler": _COMPILERS, b"steps": MAX_TIME_STEPS},
    re.DOTALL,
)


def blocks_in(content: Content) -> list[bytes]:
    """Every block in the bytes of an image that has no names, in order: a version, a compiler that we know, a hash and
    possible time steps in a row are nothing else.
    """
    return list(islice(_found(content), MOST_NETWORKS))


def facts_of(blocks: Iterable[bytes]) -> dict[str, Any]:
    """What one network says; of several their list, of none nothing."""
    found = [_facts(block) for block in blocks]
    return found[0] if len(found) == 1 else {"networks": found} if found else {}


def _found(content: Content) -> Iterator[bytes]:
    for match in _BLOCK.finditer(content, 0, MAX_SEARCHED_BYTES):
        if match.end() - match.start() == INFO_BYTES:
            yield match.group()


def _facts(block: bytes) -> dict[str, Any]:
    version, compiler, digest, steps = _INFO.unpack(block)
    return {
        "generator": f"spikenas-deploy {_text(version)}",
        "compiler": _text(compiler),
        "graph_sha256": digest.hex(),
        "time_steps": steps,
    }


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii", "backslashreplace")
