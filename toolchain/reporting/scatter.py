"""Geometry of a scatter plot, so that the page shows it without any script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 46
"""Room around the area in which points lie."""

MARGIN = 0.06
"""Share of an axis that is left empty at either end."""


SAME = 1e-9
"""Share of a value by which another may differ and still be drawn in the same place."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """Where the value of this ``index`` lies."""

    index: int
    x: float
    y: float


@dataclass(frozen=True)
class Scatter:
    """What there is to draw, in the plot's own units; ``front`` are the corners of the line through those on it."""

    dots: tuple[Dot, ...]
    front: tuple[tuple[float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def scatter(
    values: Sequence[tuple[float, float]],
    *,
    on_front: Sequence[bool] = (),
    percent: bool = False,
    alike: bool = False,
) -> Scatter:
    """Lay out ``values`` (x, y), at least one; with ``percent`` the y are shares, and written as percentages.

    ``alike``: both axes have the same range, so that what is equal lies on the diagonal.

    The line runs from the cheapest of those ``on_front`` to the best, and drops those that, in these two alone,
    another of them beats.
    """
    factor = 100 if percent else 1
    xs, ys = [x for x, _ in values], [y * factor for _, y in values]
    x_range, y_range = (_range(xs + ys),) * 2 if alike else (_range(xs), _range(ys))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            round(LEFT + _share(x, x_range) * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - _share(y * factor, y_range) * (HEIGHT - TOP - BOTTOM), 1),
        )

    chosen = [value for value, front in zip(values, on_front, strict=False) if front]
    return Scatter(
        dots=tuple(Dot(index, *place(*value)) for index, value in enumerate(values)),
        front=_stairs([place(*value) for value in _undominated(chosen)]),
        x_ticks=tuple(Tick(place(x, 0)[0], f"{x:,g}") for x in ticks(*x_range)),
        y_ticks=tuple(
            Tick(place(0, y / factor)[1], f"{y:,g}{' %' if percent else ''}") for y in ticks(*y_range)
        ),
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between ``low`` and ``high``, at most ``most``: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    # Rounded, because 3 * 0.1 is not 0.3.
    return [round((first + index) * step, 12) for index in range(count)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    # Values that a number can hardly tell apart have no spread to speak of.
    spread = high - low if high - low > SAME * size else size if size > SAME else 1.0
    return low - MARGIN * spread, high + MARGIN * spread


def _share(value: float, around: tuple[float, float]) -> float:
    return (value - around[0]) / (around[1] - around[0])


def _undominated(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for x, y in sorted(values, key=lambda value: (value[0], -value[1])):
        if not kept or y > kept[-1][1]:
            kept.append((x, y))
    return kept


def _stairs(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    corners: list[tuple[float, float]] = []
    for x, y in points:
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return tuple(corners)
