"""The network as C99 for a microcontroller: a model's file pair, the runtime kernels, and bare-metal firmware around them."""

from __future__ import annotations

from exporters.c.export import export

__all__ = ["export"]
