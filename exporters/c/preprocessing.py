"""What the template of the preprocessing functions reads: the steps of a Graph's preprocessing, as C."""

from __future__ import annotations

from math import gcd
from typing import Any

from toolchain.graph.graph import Graph
from toolchain.graph.preprocessing import Preprocessing

_CONVERSIONS = {"grey": "SNN_TO_GREY", "rgb": "SNN_TO_RGB", "as_is": "SNN_AS_IS"}
_CROPS = {"none": "SNN_CROP_NONE", "centre_square": "SNN_CROP_CENTRE_SQUARE"}
_WORD_BITS = 32


def context(graph: Graph) -> dict[str, Any]:
    """The names that the templates use; ``events`` is None for images, whose names are then all there is."""
    steps = graph.preprocessing
    if steps.events is not None:
        return {"events": _of_events(steps)}
    return {
        "events": None,
        "conversion": _CONVERSIONS[steps.channels],
        "crop": _CROPS[steps.crop],
        "steps": _words(steps),
        "frame_formats": _formats(graph),
    }


def quotient(variable: str, numerator: int, denominator: int, below: int) -> str:
    """A C expression of floor(variable * numerator / denominator) for uint32_t variables less than ``below``.

    It multiplies and shifts, because a Cortex-M0+ has no instruction that divides. Where no product of 32 bits is
    exact for all of them (none known for sensors of up to 1280 pixels and images of up to 256), it divides.
    """
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    for shift in range(_WORD_BITS):
        # With the factor rounded up, the quotient is exact as long as the error stays below one step of it.
        factor = -(-(numerator << shift) // denominator)
        if (below - 1) * factor >> _WORD_BITS:
            break
        error = factor * denominator - (numerator << shift)
        if (below - 1) * error < 1 << shift:
            return f"{variable} * {factor}u >> {shift}" if shift else f"{variable} * {factor}u"
    return f"{variable} * {numerator}u / {denominator}u"


def _of_events(steps: Preprocessing) -> dict[str, Any]:
    events = steps.events
    assert events is not None
    return events.to_dict() | {
        "time_type": "uint32_t" if events.window_us < 1 << _WORD_BITS else "uint64_t",
        # Frame k begins at the first microsecond t with t * frames >= k * window.
        "starts": [-(-k * events.window_us // events.frames) for k in range(1, events.frames)],
        "row": quotient("y", steps.height, events.sensor_height, events.sensor_height),
        "column": quotient("x", steps.width, events.sensor_width, events.sensor_width),
    }


def _words(steps: Preprocessing) -> str:
    crop = "the square in its middle, " if steps.crop == "centre_square" else ""
    channels = {"grey": "grey, ", "rgb": "red, green and blue, ", "as_is": ""}[steps.channels]
    return f"{crop}{channels}resized by area to {steps.width} x {steps.height}"


def _formats(graph: Graph) -> str:
    channels = graph.input.shape.channels
    if graph.preprocessing.channels != "as_is":
        return ", in grey or colour"
    colour = {1: "SNN_GREY8, ", 3: "SNN_RGB888, SNN_RGB565_LE, SNN_RGB565_BE, "}.get(channels, "")
    return f", with {channels} channels: {colour}SNN_INTERLEAVED or SNN_PLANES"
