"""Environment of a worker: one thread, because there are as many workers as processors to use."""

from __future__ import annotations

_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

SINGLE_THREADED = dict.fromkeys(_THREADS, "1")
"""Read by numpy, torch and numba when they are imported, hence set before a worker's first import."""
