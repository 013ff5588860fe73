"""From the events of an event camera to the frames of a network, in integers only, so that firmware repeats it.

An event says that the brightness of one pixel changed: its column ``x``, its row ``y``, its ``polarity`` (0: it
became darker, 1: brighter) and its ``time`` in microseconds. A sample of events becomes ``frames`` pictures, one
for each time step of the network, with two planes each: plane ``p`` counts the events of polarity ``p``.

With a sample that lasts ``duration`` microseconds from its first instant ``start``, a sensor of ``w`` x ``h``
pixels and frames of ``W`` x ``H``, an event counts in

    frame   floor((time - start) frames / duration)      the bins of time are equally long
    row     floor(y H / h)                               neighbouring pixels are added up
    column  floor(x W / w)

and a network's pixel is ``min(255, gain * count)``, a uint8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolchain.errors import InputError

POLARITIES = 2
"""Planes of a frame: events that made a pixel darker, and those that made it brighter."""

MAX_FRAMES = 8
"""A network has no more time steps."""

MAX_GAIN = 255
_MAX_WINDOW_US = 1 << 40
_MAX_SENSOR_SIDE = 4096

Values = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Events of one sample, int64 [n] each, from ``start_us`` until before ``start_us + duration_us``."""

    x: Values
    y: Values
    polarity: Values
    time_us: Values
    start_us: int
    duration_us: int


@dataclass(frozen=True)
class EventFrames:
    """How events become frames; see the equations at the top of this module.

    ``window_us``: for how long the firmware collects the events of one sample: the duration of a typical training
    sample. Raises ``InputError`` when a field is out of range.
    """

    frames: int
    window_us: int
    gain: int
    sensor_height: int
    sensor_width: int

    def __post_init__(self) -> None:
        largest = {"frames": MAX_FRAMES, "window_us": _MAX_WINDOW_US, "gain": MAX_GAIN}
        for field in fields(self):
            value, limit = getattr(self, field.name), largest.get(field.name, _MAX_SENSOR_SIDE)
            if type(value) is not int or not 1 <= value <= limit:
                raise InputError(
                    f"preprocessing: {field.name} of events must be a whole number from 1 to {limit}, not {value!r:.40}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Any) -> EventFrames:
        """Read what ``to_dict`` wrote; raises ``InputError`` for missing, unknown or wrong fields."""
        if not isinstance(document, Mapping) or set(document) != {field.name for field in fields(cls)}:
            names = ", ".join(field.name for field in fields(cls))
            raise InputError(f"preprocessing: events must be a table of {names}, and of nothing else")
        return cls(**document)

    def counts(self, events: Events, height: int, width: int) -> Values:
        """Events per pixel, int64 [frames, 2, height, width]; the events lie on the sensor and within the sample."""
        frame = (events.time_us - events.start_us) * self.frames // events.duration_us
        row, column = events.y * height // self.sensor_height, events.x * width // self.sensor_width
        cell = ((frame * POLARITIES + events.polarity) * height + row) * width + column
        shape = (self.frames, POLARITIES, height, width)
        return np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)

    def pixels(self, counts: Values) -> NDArray[np.uint8]:
        """Counts of events as network pixels: ``min(255, gain * count)``, of the same shape."""
        return np.minimum(counts * self.gain, 255).astype(np.uint8)
