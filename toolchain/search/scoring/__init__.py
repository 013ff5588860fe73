"""Training-free scores of every cell that one position can hold, from shared prefixes.

Weights are shared per (edge, operation), so node 1 has 4 possible maps, node 2 has 84, and only the output
differs from cell to cell: 190 convolutions serve all cells. ``score.score_cells`` is the entry;
``structural`` needs no torch.
"""
