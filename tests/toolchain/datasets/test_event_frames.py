"""What is chosen for all samples of a data set: the gain of their counts and the firmware's window."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.datasets import limits
from toolchain.datasets.event_frames import prepared
from toolchain.datasets.source import EventSamples
from toolchain.errors import InputError
from toolchain.graph.events import Events

ONE = np.zeros(1, np.int64)


def samples(*counts: int, duration: int = 10) -> EventSamples:
    """Samples of one pixel, in which so many events happened at once."""

    def read(index: int) -> Events:
        zeros = np.zeros(counts[index], np.int64)
        return Events(zeros, zeros, zeros, zeros, 0, duration + index)

    return EventSamples(len(counts), 4, 4, read)


@pytest.mark.parametrize(("counts", "gain"), [((1, 1), 128), ((1, 2), 64), ((15, 3), 16), ((300, 1), 1)])
def test_the_gain_spreads_counts_over_a_byte(counts: tuple[int, ...], gain: int) -> None:
    chosen = np.arange(len(counts))
    preprocessing, pixels = prepared({"train": samples(*counts)}, {"train": chosen}, 2, None)
    assert preprocessing.events is not None and preprocessing.events.gain == gain
    assert pixels["train"].shape == (len(counts), 2, 2, 4, 4)
    assert pixels["train"][:, 0, 0, 0, 0].tolist() == [min(255, gain * count) for count in counts]


def test_few_loud_pixels_do_not_lower_the_gain_and_other_parts_have_no_say() -> None:
    train, test = samples(*[2] * 200, 90), samples(90)
    indices = {"train": np.arange(201), "test": np.arange(1)}
    preprocessing, pixels = prepared({"train": train, "test": test}, indices, 1, (2, 2))  # type: ignore[arg-type]
    assert preprocessing.events is not None and preprocessing.events.gain == 64
    assert pixels["train"].shape == (201, 2, 2, 2) and pixels["test"].max() == 255


def test_the_window_is_the_median_of_the_training_samples() -> None:
    preprocessing, _ = prepared({"train": samples(1, 1, 1, duration=70)}, {"train": np.arange(3)}, 2, None)
    assert preprocessing.events is not None and preprocessing.events.window_us == 71


def test_more_than_the_memory_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "memory_limit_bytes", lambda: 100)
    with pytest.raises(InputError, match="2 samples of 4 frames would take"):
        prepared(
            {"train": EventSamples(2, 4, 4, lambda index: pytest.fail())}, {"train": np.arange(2)}, 4, None
        )
