"""Layout, footprint, operations and time of a Graph on a board, computed without running or even training it."""
