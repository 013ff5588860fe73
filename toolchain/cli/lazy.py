"""A command group that imports a verb's module only when that verb runs, so that help needs nothing heavy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

VERBS = {
    "doctor": "Check what is installed, and say how to install what is missing.",
    "profiles": "List, show, validate and write board profiles.",
    "search": "Find a network that fits a board, and train it.",
    "train": "Train the architecture that a run found.",
    "export": "Write a trained run as ONNX, TFLite or C, and verify it.",
    "verify": "Run every artifact in its own runtime and compare the integers.",
    "check": "Hold an artifact or a run against a board's limits.",
    "inspect": "Show what an artifact holds: tensors, operators, bytes, metadata.",
    "report": "Write a run as one page, or several side by side.",
    "flash": "Write a verified run to its board.",
    "import": "Bring a network of snnTorch or NIR, and quantize it.",
    "deploy": "From search to verified artifacts in one go.",
}
"""Verb -> its one line in the top-level help; the verb lives in ``toolchain/cli/VERB.py``."""

MODULES = {"import": "import_network"}
"""Where a verb lives whose name no module can have."""


def load_verb(name: str) -> Any:
    """Import the module of the verb ``name`` and return its command, ready to be run.

    The module offers ``app`` (a ``typer.Typer``, for a verb with sub-verbs) or ``command`` (a function).
    """
    module = import_module(f"toolchain.cli.{MODULES.get(name, name)}")
    # A group around the verb, so that typer hands down our settings and adds no options of its own.
    carrier = typer.Typer(add_completion=False, rich_markup_mode=None)
    carrier.callback()(_nothing)
    if hasattr(module, "app"):
        carrier.add_typer(module.app, name=name)
    else:
        carrier.command(name)(module.command)
    group = typer.main.get_command(carrier)
    assert isinstance(group, TyperGroup)
    return group.commands[name]


class LazyGroup(TyperGroup):
    """Lists ``VERBS`` from the table above; resolving one, to run it, imports it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=text) for name, text in VERBS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return (name, command, remaining arguments); raises a usage error for an unknown verb."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_verb(str(name)), rest


def _nothing() -> None:
    pass
