"""What each operation of cells is worth on a board and data: the first step of SpikeNAS (arXiv 2402.11322)."""
