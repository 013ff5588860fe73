"""Frames of all samples of an event camera, and the record of how the firmware makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from toolchain.datasets.limits import check_memory
from toolchain.datasets.source import EventSamples, Indices, Split
from toolchain.errors import InputError
from toolchain.graph.events import POLARITIES, EventFrames
from toolchain.graph.preprocessing import Pixels, Preprocessing

FRAMES = 8
"""Frames of a sample where none are asked for: as many as a network can have time steps."""

_GAINS = (128, 64, 32, 16, 8, 4, 2, 1)
_MOST_CLIPPED = 0.01
"""Share of the pixels with an event that the gain may drive to 255: it is the largest that keeps to it."""


def prepared(
    samples: Mapping[Split, EventSamples],
    chosen: Mapping[Split, Indices],
    frames: int | None,
    sides: tuple[int, int] | None,
) -> tuple[Preprocessing, dict[Split, Pixels]]:
    """The ``chosen`` samples as uint8 [N, T, 2, H, W], or [N, 2, H, W] for one frame, and how they were made.

    The gain and the window are chosen on the training samples. Raises ``InputError`` if ``sides`` are larger than the
    sensor, or the frames do not fit into memory.
    """
    train = samples["train"]
    sensor = (train.sensor_height, train.sensor_width)
    height, width = sides or sensor
    if height > sensor[0] or width > sensor[1]:
        raise InputError(
            f"frames of {width}x{height} are larger than the sensor, {sensor[1]}x{sensor[0]}; take a smaller --size"
        )
    rule = EventFrames(FRAMES if frames is None else frames, 1, 1, *sensor)
    n_samples = sum(map(len, chosen.values()))
    n_bytes = n_samples * rule.frames * POLARITIES * height * width
    check_memory(n_bytes, f"{n_samples:,} samples of {rule.frames} frames", "use --limit or a smaller --size")
    counted = {
        split: _counts(samples[split], indices, rule, (height, width)) for split, indices in chosen.items()
    }
    counts, durations = counted["train"]
    rule = replace(rule, window_us=int(np.median(durations)), gain=_gain(counts))
    pixels: dict[Split, Pixels] = {}
    for split, (found, _) in counted.items():
        # Counts beyond 255, which were cut off, give the same pixel as 255 does.
        pixels[split] = rule.pixels(np.arange(256))[found]
        if rule.frames == 1:
            pixels[split] = pixels[split][:, 0]
    return Preprocessing(height, width, "polarity", events=rule), pixels


def _counts(
    samples: EventSamples, indices: Indices, rule: EventFrames, sides: tuple[int, int]
) -> tuple[Pixels, NDArray[np.int64]]:
    """Events per pixel, uint8 [N, frames, 2, H, W], at most 255; and each sample's duration in microseconds."""
    found = np.empty((len(indices), rule.frames, POLARITIES, *sides), np.uint8)
    durations = np.empty(len(indices), np.int64)
    for row, index in enumerate(indices.tolist()):
        events = samples.read(index)
        found[row] = rule.pixels(rule.counts(events, *sides))
        durations[row] = events.duration_us
    return found, durations


def _gain(counts: Pixels) -> int:
    """The largest power of two with which few pixels exceed a byte, so that counts spread over its values."""
    occurrences = np.bincount(counts.ravel(), minlength=256)
    occurrences[0] = 0
    most = _MOST_CLIPPED * occurrences.sum()
    return next((gain for gain in _GAINS if occurrences[255 // gain + 1 :].sum() <= most), 1)
