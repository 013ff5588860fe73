"""The search of Kim et al. (ECCV 2022, arXiv 2201.10355) as published: random cells, each in a fresh network."""

from __future__ import annotations

CANDIDATES = 5000
"""Cells that the published search draws."""

MALLOC_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "17179869184",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "1073741824",
}
"""Set before the process starts, these make glibc keep the large maps that it would give back to the system.

Without them much of a search's time is page faults; results are the same.
"""
