"""How much a data set may ask for before it is refused: far more than a board's network can learn from."""

from __future__ import annotations

import os

from toolchain.errors import InputError

MAX_CLASSES = 1000
MAX_NUMBERS = 64
"""Numbers an image, of a regression."""
MAX_OFFSET = 1024
"""Largest mean of a number in units of its deviation: float32 keeps some 16 bits of what varies."""
MAX_FILES = 2_000_000
"""Files and folders in an image folder, entries in a zip archive."""
MAX_FILE_BYTES = 256 * 1024**2
"""One encoded image."""
MAX_IMAGE_PIXELS = 1 << 26
"""One decoded image, 8192 x 8192."""
MAX_CHANNELS = 64
MAX_UNPACKED_BYTES = 64 * 1024**3
"""All entries of one archive together."""
MAX_COMPRESSION = 100
"""Unpacked over packed size of a whole archive: deflate reaches 1032 on zeros, real images stay under 20."""
COMPRESSION_SLACK_BYTES = 64 * 1024**2
"""Small archives may be compressed better than that: what they unpack to is harmless."""


def memory_limit_bytes() -> int:
    """Half of the machine's memory; 4 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return 4 * 1024**3


def check_memory(n_bytes: int, what: str, remedy: str) -> None:
    """Raise ``InputError`` if ``n_bytes`` of pixels are more than this machine should hold."""
    limit = memory_limit_bytes()
    if n_bytes > limit:
        raise InputError(
            f"{what} would take {n_bytes / 1024**3:,.1f} GiB of memory, more than the "
            f"{limit / 1024**3:,.1f} GiB (half of this machine's) that may be used; {remedy}"
        )
