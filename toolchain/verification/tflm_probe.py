"""Runs in a process of its own: a model in TensorFlow Lite Micro (TFLM), which may abort, in an arena of a given size.

    python -m toolchain.verification.tflm_probe arena MODEL
    python -m toolchain.verification.tflm_probe scores MODEL ARENA_BYTES STEPS STATES SECONDS IMAGES.npy SCORES.npy

``arena`` prints a JSON object: the smallest ``arena_bytes`` that TFLM accepts, found by bisection. ``scores`` runs
images [n, C, H, W] or [n, T, C, H, W], as many as ``SECONDS`` allow, but one at least, and writes int32 [n, classes].
``STEPS`` is how often a model is called for an image; it gives back its so many ``STATES``, which are zero at first.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

GRANULE_BYTES = 16
LARGEST_BYTES = 1 << 28
"""Arenas of a quarter of a GiB are no microcontroller's."""


def main(command: str, model: str, *rest: str) -> None:
    """Do what the module says."""
    content = Path(model).read_bytes()
    if command == "arena":
        print(json.dumps({"arena_bytes": smallest_arena(content)}))
        return
    arena, steps, states, seconds, images, scores = rest
    samples = np.load(images, allow_pickle=False)
    interpreter = opened(content, int(arena))
    start, found = time.monotonic(), []
    for sample in samples:
        one_by_one = int(states) > 0
        found.append(
            stepped(interpreter, sample, int(steps), int(states)) if one_by_one else run(interpreter, sample)
        )
        if time.monotonic() - start > float(seconds):
            break
    np.save(scores, np.stack(found), allow_pickle=False)


def run(interpreter: Any, sample: Any) -> Any:
    """Scores of an image [C, H, W], or frames [T, C, H, W]."""
    pixels = np.moveaxis(sample, -3, -1)
    interpreter.set_input(np.ascontiguousarray(pixels.reshape(-1, *pixels.shape[-3:])), 0)
    interpreter.invoke()
    return interpreter.get_output(0)[0]


def stepped(interpreter: Any, sample: Any, steps: int, states: int) -> Any:
    """The same of the step form, by so many calls; the state follows the image, and the scores."""
    numbers = range(1, states + 1)
    state = [np.zeros_like(interpreter.get_output(number)) for number in numbers]
    for step in range(steps):
        for number, value in enumerate(state, 1):
            interpreter.set_input(value, number)
        scores = run(interpreter, sample if sample.ndim == 3 else sample[step])
        state = [interpreter.get_output(number) for number in numbers]
    return scores


def smallest_arena(content: bytes) -> int:
    """The smallest arena that TFLM accepts, in steps of ``GRANULE_BYTES``."""
    _interpreters()  # imported once, not in every fork
    enough = 1 << 12
    while not _fits(content, enough):
        enough *= 2
        if enough > LARGEST_BYTES:
            raise RuntimeError(f"it does not fit into an arena of {LARGEST_BYTES:,} bytes")
    low, high = 0, enough // GRANULE_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(content, middle * GRANULE_BYTES) else (middle, high)
    return high * GRANULE_BYTES


def _fits(content: bytes, arena_bytes: int) -> bool:
    """Whether TFLM has room. It is asked in a fork, since it may crash if not; what it prints is dropped."""
    child = os.fork()
    if not child:
        code = 1
        faulthandler.disable()
        try:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            opened(content, arena_bytes).get_output(0)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def opened(content: bytes, arena_bytes: int) -> Any:
    """The model's interpreter; raises ``RuntimeError`` if the arena is too small."""
    return _interpreters().from_bytes(content, arena_size=arena_bytes)


def _interpreters() -> Any:
    from tflite_micro import runtime

    return runtime.Interpreter


if __name__ == "__main__":
    main(*sys.argv[1:])
