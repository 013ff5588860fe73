"""What an artifact holds, read from its bytes: nothing is run, no other file is opened, no library parses it.

Files may come from anybody. Every reader here checks sizes, counts and offsets before it follows them, and has a
budget of steps, so a hostile file ends in one ``InputError`` within bounded time and memory.
"""
