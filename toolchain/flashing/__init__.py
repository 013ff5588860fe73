"""From a passed verdict to a board: what may be written, with which tool, and what the board then holds.

``rules`` say what must be true of a run, ``image`` and ``flight`` of what is written; ``tools`` write it, one file
each; ``flash`` puts them together.
"""
