"""What is known of an integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Integration:
    """One way to bring the exported sources into another build.

    ``files``: path below ``artifacts/c`` of each file that is added, ``{prefix}`` standing for the network's, and its
    template. ``network``: folder below ``artifacts/c`` that gets a copy of the network's sources; ``None`` where they
    are used as they lie. ``use``: how a user takes it, in Markdown. ``source``: the pages that document the build
    files.
    """

    name: str
    title: str
    use: str
    files: Mapping[str, str]
    source: str
    network: str | None = None
