"""The search of Kim et al. (ECCV 2022, arXiv 2201.10355) as published: random cells, each in a fresh network."""

from __future__ import annotations

CANDIDATES = 5000
"""Cells that the published search draws."""
