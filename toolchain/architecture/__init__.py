"""What a search chooses: cells, sizes, their one-line text, and the Graph that they stand for."""
