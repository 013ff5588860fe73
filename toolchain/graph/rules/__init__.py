"""The rules that a Graph must keep, one function each; a rule's docstring is its documentation.

A rule yields, for every place where it is broken, a node's name and a sentence. Which may count on which, and who runs
them, is in ``toolchain.graph.checks``.
"""

from __future__ import annotations

from collections.abc import Iterator

Broken = Iterator[tuple[str, str]]
"""Pairs of a node's name and what is wrong with it."""
