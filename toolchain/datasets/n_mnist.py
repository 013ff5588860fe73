"""N-MNIST, as its authors distribute it (Orchard et al., Frontiers in Neuroscience 9:437, 2015).

A folder with ``Train.zip`` and ``Test.zip``, or with the folders that are in them:

    Train/0/00002.bin ... Train/9/59990.bin        Test/0/00004.bin ...

A sample is a list of events of 40 bits each: column, row, then polarity (1 bit) and time in microseconds (23 bits).
The sensor has 34x34 pixels. The files are decoded by tonic.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from toolchain.datasets.file_tree import FileTree, Parts, open_tree
from toolchain.datasets.source import EventSamples, Part, Source, Split
from toolchain.errors import InputError, ToolMissingError
from toolchain.graph.events import Events

_SPLITS: dict[Split, str] = {"train": "Train", "test": "Test"}
_LABELS = tuple("0123456789")
_SIDE = 34
_EVENT_BYTES = 5
_MAX_SAMPLE_BYTES = 4 * 1024**2
"""Of one sample; published ones have some 20 KiB."""

_EVENT = np.dtype([(name, np.int64) for name in ("x", "y", "t", "p")])


def recognises(path: Path) -> bool:
    """Whether a folder holds N-MNIST's training samples, or the archive of them."""
    if not path.is_dir():
        return False
    folder = path / "Train" / "0"
    return (path / "Train.zip").is_file() or folder.is_dir() and any(folder.glob("*.bin"))


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The samples of both of the data set's own parts, which are read when asked for."""
    with ExitStack() as stack:
        parts: dict[Split, Part] = {}
        for split, name in _SPLITS.items():
            place = path / name if (path / name).is_dir() else path / f"{name}.zip"
            if not place.exists():
                raise InputError(f"{path} lacks {name}.zip of N-MNIST, or the folder that is in it")
            parts[split] = _part(stack.enter_context(open_tree(place)))
        yield Source("n-mnist", _LABELS, parts)


def _part(tree: FileTree) -> Part:
    samples = [
        parts
        for parts in tree.files
        if len(parts) > 1 and parts[-2] in _LABELS and parts[-1].endswith(".bin")
    ]
    if not samples:
        raise InputError(f"{tree.root} has no samples; N-MNIST's lie in folders 0 to 9 and end in .bin")

    def read(index: int) -> Events:
        return _events(tree, samples[index])

    targets = np.array([int(parts[-2]) for parts in samples], np.int64)
    return Part(EventSamples(len(samples), _SIDE, _SIDE, read), targets)


def _events(tree: FileTree, parts: Parts) -> Events:
    data, name = tree.read(parts), tree.describe(parts)
    if not data or len(data) % _EVENT_BYTES or len(data) > _MAX_SAMPLE_BYTES:
        raise InputError(
            f"{name} has {len(data):,} bytes, not a whole number of N-MNIST's events of {_EVENT_BYTES} bytes up to "
            f"{_MAX_SAMPLE_BYTES:,}; fetch the data set again"
        )
    try:
        from tonic.io import read_mnist_file
    except ImportError as error:
        raise ToolMissingError(
            f"tonic, which reads N-MNIST, cannot be loaded ({error}); `pip install tonic`"
        ) from error
    events = read_mnist_file(io.BytesIO(data), dtype=_EVENT, is_stream=True)
    if not len(events) or max(int(events["x"].max()), int(events["y"].max())) >= _SIDE:
        raise InputError(
            f"{name} has no events, or some that are not on N-MNIST's sensor of {_SIDE}x{_SIDE} pixels; "
            "fetch the data set again"
        )
    start = int(events["t"].min())
    return Events(
        events["x"], events["y"], events["p"], events["t"], start, int(events["t"].max()) - start + 1
    )
