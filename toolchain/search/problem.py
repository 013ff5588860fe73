"""What a search is about: a board, a data set, and what the user asked for."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.datasets import Dataset
from toolchain.search.board import Board
from toolchain.search.settings import SearchSettings


@dataclass(frozen=True)
class Problem:
    """Handed to every algorithm, and once to every worker."""

    board: Board
    data: Dataset
    settings: SearchSettings
