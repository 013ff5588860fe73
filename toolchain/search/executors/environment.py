"""Environment of a worker: one thread, because there are as many workers as processors, and memory that is kept."""

from __future__ import annotations

_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "17179869184",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "1073741824",
}
"""glibc keeps large maps for the next use; given back to the system, they cost a page fault for every 4 KiB."""

ENVIRONMENT = dict.fromkeys(_THREADS, "1") | KEPT_MEMORY
"""Read when a process starts, and by numpy, torch and numba when they are imported: set before a worker begins."""
