"""Text of strangers, such as a file's name, made visible: no character of it does anything but stand there."""

from __future__ import annotations


def visible(text: str, keep: str = "") -> str:
    """``text`` with what cannot be printed, control characters above all, as its escape; ``keep`` stays."""
    return "".join(
        c if c in keep or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
