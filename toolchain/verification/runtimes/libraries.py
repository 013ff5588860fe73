"""What the runtimes' native libraries say when they fail, made fit for one sentence."""

from __future__ import annotations

MAX_CHARACTERS = 200


def first_line(error: Exception) -> str:
    """First line of a library's message, cut short; it may quote a hostile file, so only printable characters stay."""
    lines = str(error).splitlines() or [type(error).__name__]
    return "".join(character for character in lines[0] if character.isprintable())[:MAX_CHARACTERS]
