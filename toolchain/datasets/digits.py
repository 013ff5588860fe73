"""The built-in handwritten digits: 1,797 images of 8x8, 10 classes (see digits.md for source and licence).

Enough to show the whole pipeline in minutes and to test it; not a problem that anyone deploys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from toolchain.datasets import npz
from toolchain.datasets.source import Source

NAME = "digits"
SIZE = 16
"""Height and width that they are resized to unless another size is asked for, in pixels."""


@contextmanager
def open_source() -> Iterator[Source]:
    """The digits, packed beside this module."""
    with npz.open_source(Path(__file__).with_name("digits.npz")) as source:
        yield replace(source, name=NAME, is_demonstration=True)
