"""Labelled images from the formats users have, preprocessed and split the same way on every machine."""

from __future__ import annotations

from toolchain.datasets.dataset import Dataset, Subset
from toolchain.datasets.loading import load

__all__ = ["Dataset", "Subset", "load"]
