"""In which order firmware runs a network."""

from __future__ import annotations

from typing import Literal, get_args

from toolchain.errors import InputError

Schedule = Literal["layers", "steps"]
"""Each layer with all its time steps, or each time step with all its layers.

Both give the same integers. By steps a network takes one frame after the other, as a stream, and keeps its potentials
and counts in between.
"""

DEFAULT_SCHEDULE: Schedule = "layers"
"""It needs less memory, and fewer instructions."""


def schedule(name: object, origin: str) -> Schedule:
    """The schedule called ``name``, which ``origin`` asks for; raises ``InputError`` naming what there is."""
    for known in get_args(Schedule):
        if name == known:
            found: Schedule = known
            return found
    raise InputError(
        f"{origin} asks for the schedule {str(name)!r:.40}; there are {' and '.join(get_args(Schedule))}"
    )
