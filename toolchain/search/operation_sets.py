"""The operations that a search gives cells where nobody says which: by class of board, with the evidence.

``operation_sets.toml`` beside this file has them. An operation is missing from a class's set only where an
analysis (``search --analyze-operations``) saw that nothing is lost without it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from toolchain.errors import OverBudgetError
from toolchain.files import read_toml
from toolchain.profiles.schema import Profile
from toolchain.search.board import Board
from toolchain.search.feasible import feasible_sizes
from toolchain.search.settings import OPERATIONS

FILE = Path(__file__).with_name("operation_sets.toml")

BoardClass = Literal["microcontroller", "linux"]

CLASSES: tuple[BoardClass, ...] = ("microcontroller", "linux")


def board_class(profile: Profile) -> BoardClass:
    """What kind of board ``profile`` describes."""
    return "linux" if profile.role == "linux" else "microcontroller"


def default_operations(profile: Profile) -> str:
    """The digits of the operations that cells for boards of this class have."""
    found: str = _sets()[board_class(profile)]["operations"]
    return found


def operations_for(board: Board) -> str:
    """The default operations, or all of them where nothing fits with the default ones.

    Raises ``OverBudgetError`` if nothing fits with all of them, ``InputError`` if no network suits the images.
    """
    chosen = default_operations(board.profile)
    try:
        feasible_sizes(board, chosen)
    except OverBudgetError:
        # The narrowest budgets have room for cells of a single skip or pool alone.
        feasible_sizes(board)
        return OPERATIONS
    return chosen


@lru_cache(maxsize=1)
def _sets() -> dict[str, Any]:
    return read_toml(FILE)
