"""The rules that a profile must keep, one small function each; a rule's docstring is its documentation for
users.

A rule yields a sentence for each breach. Rules do not depend on each other: all of them run, so that one
look at a faulty file shows everything that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import cleandoc

from toolchain.profiles.rules import board, memory
from toolchain.profiles.schema import Profile

Rule = Callable[[Profile], Iterator[str]]

RULES: tuple[Rule, ...] = (*memory.RULES, *board.RULES)


def check(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every breach as (name of the rule, sentence)."""
    for rule in RULES:
        for message in rule(profile):
            yield rule.__name__, message


def documentation() -> dict[str, str]:
    """Name of each rule -> what it asks for."""
    return {rule.__name__: cleandoc(rule.__doc__ or "") for rule in RULES}
