"""Boards as data: the schema of a hardware profile, its checks, and the budget that a network gets."""

from __future__ import annotations

from toolchain.profiles.catalog import available, from_document, load

__all__ = ["available", "from_document", "load"]
