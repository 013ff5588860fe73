"""The network as C99 for a microcontroller: a file pair, runtime kernels, bare-metal firmware around them."""

from __future__ import annotations

from exporters.c.export import export

__all__ = ["export"]
