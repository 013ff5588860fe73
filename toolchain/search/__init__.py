"""Memory-aware search: sizes that fit the board first, then each cell by scores that need no training."""
