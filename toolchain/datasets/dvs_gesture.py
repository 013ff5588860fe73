"""DVS128 Gesture (Amir et al., CVPR 2017), as its authors distribute it and as tonic does.

The authors' folder, ``DvsGesture``, or what holds it:

    trials_to_train.txt   trials_to_test.txt       names of recordings
    user01_fluorescent.aedat ...                   AEDAT 3.1, several gestures each
    user01_fluorescent_labels.csv ...              class (1 to 11), startTime_usec, endTime_usec

tonic's folder, ``DVSGesture``, has the gestures cut out, as arrays of column, row, polarity and time in milliseconds:

    ibmGestureTrain/user01_fluorescent/0.npy ... 10.npy    ibmGestureTest/...

The sensor has 128x128 pixels. A sample lasts as long as its label says, or from its first event to its last.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from toolchain.datasets.aedat import Recording, decode
from toolchain.datasets.file_tree import FileTree, Parts, open_tree
from toolchain.datasets.npy import read_array
from toolchain.datasets.source import EventSamples, Part, Source, Split
from toolchain.errors import InputError
from toolchain.graph.events import Events

_LABELS = (
    "hand clapping",
    "right hand wave",
    "left hand wave",
    "right arm clockwise",
    "right arm counter clockwise",
    "left arm clockwise",
    "left arm counter clockwise",
    "arm roll",
    "air drums",
    "air guitar",
    "other gestures",
)
_SIDE = 128
_TRIALS: dict[Split, str] = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
_CUT_OUT: dict[Split, str] = {"train": "ibmGestureTrain", "test": "ibmGestureTest"}
_FOLDER, _CUT_OUT_FOLDER = "DvsGesture", "DVSGesture"
_MAX_GESTURES = 1000
"""Labels of one recording; published ones have 11 or 12."""


class _Gesture(NamedTuple):
    recording: Parts
    target: int
    start_us: int
    end_us: int


def recognises(path: Path) -> bool:
    """Whether a folder is either form of the data set, or holds it."""
    return path.is_dir() and _root(path) is not None


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The samples of both of the data set's own parts, which are read when asked for."""
    root = _root(path)
    assert root is not None  # recognises
    with open_tree(root) as tree:
        make = _recorded if (root / _TRIALS["train"]).is_file() else _cut_out
        yield Source("dvs-gesture", _LABELS, {split: make(tree, split) for split in _TRIALS})


def _root(path: Path) -> Path | None:
    for folder in (path, path / _FOLDER, path / _CUT_OUT_FOLDER):
        if (folder / _TRIALS["train"]).is_file() or (folder / _CUT_OUT["train"]).is_dir():
            return folder
    return None


def _recorded(tree: FileTree, split: Split) -> Part:
    """Gestures within the authors' recordings."""
    gestures = [gesture for name in _trials(tree, split) for gesture in _gestures(tree, name)]

    # Neighbouring gestures are of one recording.
    @lru_cache(maxsize=1)
    def recording(parts: Parts) -> Recording:
        return decode(tree.read(parts), tree.describe(parts))

    def read(index: int) -> Events:
        parts, _, start, end = gestures[index]
        found = recording(parts)
        during = (found.time_us >= start) & (found.time_us < end)
        x, y, polarity, time_us = (each[during] for each in (found.x, found.y, found.polarity, found.time_us))
        return _checked(tree.describe(parts), Events(x, y, polarity, time_us, start, end - start))

    targets = np.array([gesture.target for gesture in gestures], np.int64)
    return Part(EventSamples(len(gestures), _SIDE, _SIDE, read), targets)


def _trials(tree: FileTree, split: Split) -> list[str]:
    """Names of the recordings of a part, each of which lies in the folder itself."""
    name, there = _TRIALS[split], set(tree.files)
    trials = [line.strip() for line in _lines(tree, name) if line.strip()]
    for trial in trials:
        if (trial,) not in there:
            raise InputError(
                f"{tree.root} lacks the recording {trial!r:.80} that {name} names; fetch the data set again"
            )
    return sorted(set(trials))


def _gestures(tree: FileTree, recording: str) -> Iterator[_Gesture]:
    name = f"{Path(recording).stem}_labels.csv"
    try:
        rows = [row for row in csv.reader(_lines(tree, name)) if row][1:]
    except csv.Error as error:
        raise InputError(f"{tree.root}/{name} is not a table: {error}; fetch the data set again") from error
    if len(rows) > _MAX_GESTURES:
        raise InputError(f"{tree.root}/{name} has {len(rows):,} gestures; at most {_MAX_GESTURES:,} are read")
    for row in rows:
        try:
            label, start, end = map(int, row)
        except ValueError:
            label, start, end = 0, 0, 0
        if not 1 <= label <= len(_LABELS) or not 0 <= start < end < 1 << 40:
            raise InputError(
                f"{tree.root}/{name} has the row {','.join(row)!r:.80}, but class (1 to {len(_LABELS)}), start and "
                "end in microseconds are wanted; fetch the data set again"
            )
        yield _Gesture((recording,), label - 1, start, end)


def _cut_out(tree: FileTree, split: Split) -> Part:
    """Gestures that tonic's makers have cut out."""
    names = {f"{label}.npy": label for label in range(len(_LABELS))}
    files = [parts for parts in tree.files if parts[0] == _CUT_OUT[split] and parts[-1] in names]
    if not files:
        raise InputError(f"{tree.root} has no gestures in {_CUT_OUT[split]}; fetch the data set again")

    def read(index: int) -> Events:
        parts = files[index]
        name, data = tree.describe(parts), tree.read(parts)
        array = read_array(name, len(data), lambda: io.BytesIO(data))
        good = array.ndim == 2 and array.shape[1:] == (4,) and array.dtype.kind in "iuf" and len(array)
        if not good or not ((array >= 0) & (array < 1 << 40)).all():
            raise InputError(
                f"{name} is {array.dtype} {list(array.shape)}; a gesture has rows of column, row, polarity and "
                "milliseconds"
            )
        x, y, polarity, milliseconds = array.astype(np.int64).T
        time_us = 1000 * milliseconds
        start = int(time_us.min())
        return _checked(name, Events(x, y, polarity, time_us, start, int(time_us.max()) - start + 1))

    targets = np.array([names[parts[-1]] for parts in files], np.int64)
    return Part(EventSamples(len(files), _SIDE, _SIDE, read), targets)


def _checked(name: str, events: Events) -> Events:
    if not len(events.x):
        raise InputError(
            f"{name} has no events between {events.start_us:,} us and {events.start_us + events.duration_us:,} us, "
            "where its labels say that there is a gesture"
        )
    if max(int(events.x.max()), int(events.y.max())) >= _SIDE or int(events.polarity.max()) > 1:
        raise InputError(
            f"{name} has events that are not of DVS128's sensor of {_SIDE}x{_SIDE} pixels; fetch the data set again"
        )
    return events


def _lines(tree: FileTree, name: str) -> list[str]:
    if (name,) not in tree.files:
        raise InputError(f"{tree.root} lacks {name} of DVS128 Gesture; fetch the data set again")
    try:
        return tree.read((name,)).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{tree.root}/{name} is not plain text; fetch the data set again") from error
