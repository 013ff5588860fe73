"""TensorFlow Lite Micro in the tests' own process, quicker than a process each; only for files that we wrote."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from toolchain.graph.graph import Graph
from toolchain.verification import tflm_probe

needs_tflm = pytest.mark.usefixtures("tflm")
"""Tests that run TFLM, whose wheel is for Linux on x86-64 alone."""


def scores(content: bytes, graph: Graph, images: Any, states: int = 0, arena_bytes: int = 1 << 24) -> Any:
    """Scores int32 [n, classes]; the step form has ``states``."""
    interpreter = tflm_probe.opened(content, arena_bytes)
    run = (
        (lambda image: tflm_probe.stepped(interpreter, image, graph.time_steps, states))
        if states
        else (lambda image: tflm_probe.run(interpreter, image))
    )
    return np.stack([run(image) for image in images])


def smallest_arena(content: bytes) -> int:
    """The smallest arena that TFLM accepts."""
    return tflm_probe.smallest_arena(content)
