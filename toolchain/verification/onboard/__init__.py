"""A run's artifacts on a real Linux board over ssh: their integers, and what they take there.

A file of ours and the artifacts go into a temporary folder of the board and are gone afterwards; nothing is installed.
What comes back is data of a stranger: bounded in size, and checked before it is parsed.
"""
