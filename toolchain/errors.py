"""Errors a user can meet, one class per cause; the command line maps each to its exit code."""

from __future__ import annotations


class SpikenasError(Exception):
    """Base of every error whose message is meant for the user: one sentence with what, where and how to mend it."""

    exit_code = 1


class InputError(SpikenasError):
    """A profile, data set, run or artifact is missing, broken or not of the promised form."""

    exit_code = 3


class OverBudgetError(SpikenasError):
    """Nothing fits the budget, or an artifact is larger than the budget allows."""

    exit_code = 4


class OutputsDifferError(SpikenasError):
    """Two runtimes that must compute the same integers do not."""

    exit_code = 5


class ToolMissingError(SpikenasError):
    """A program or optional package that this step needs is not installed; the message says how to install it."""

    exit_code = 6


class Interrupted(SpikenasError):
    """Ctrl-C ended work that can be gone on with; the message is the command that does."""

    exit_code = 130
