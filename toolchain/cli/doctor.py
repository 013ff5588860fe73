"""``spikenas-deploy doctor``: what is installed, what it is for, and what to run for what is missing."""

from __future__ import annotations

import platform
import shlex
from dataclasses import asdict
from typing import Annotated, Any

import typer

from toolchain import __version__
from toolchain.cli.console import emit, print_table
from toolchain.environment.inventory import CORE, Finding, take_inventory
from toolchain.errors import ToolMissingError

FIRMWARE_TOOL_PAIRS = {
    "ziglang + unicorn": ("ziglang", "unicorn", "capstone", "pyelftools"),
    "arm-none-eabi-gcc + qemu-system-arm": ("arm-none-eabi-gcc", "qemu-system-arm", "capstone", "pyelftools"),
}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check what is installed, and say how to install what is missing.

    Each package is used, not just imported. Exit code 0 if the core works, 6 if a core package is
    missing, of a wrong version or broken; what only some boards need may be missing.
    """
    findings = take_inventory()
    core_works = all(f.status == "ok" for f in findings if f.group == CORE)
    working = {f.name for f in findings if f.status == "ok"}
    document = {
        "version": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "core_works": core_works,
        "firmware_tool_pairs": {
            pair: working.issuperset(parts) for pair, parts in FIRMWARE_TOOL_PAIRS.items()
        },
        "components": [asdict(f) for f in findings],
    }
    emit(document, as_json, lambda document: _render(document, findings))
    if not core_works:
        raise typer.Exit(ToolMissingError.exit_code)


def _render(document: dict[str, Any], findings: list[Finding]) -> None:
    print(f"spikenas-deploy {document['version']}, Python {document['python']}, {document['platform']}")
    print_table(
        ["Group", "Component", "Version", "State", "For"],
        [(f.group, f.name, f.version or "-", f.status, f.purpose) for f in findings],
    )
    for pair, ready in document["firmware_tool_pairs"].items():
        print(f"Firmware with {pair}: {'ready' if ready else 'not ready'}")
    troubles = [f for f in findings if f.status != "ok"]
    for finding in troubles:
        print(f"\n{finding.name}: {finding.status}; {finding.detail}")
        print(f"    {shlex.join(finding.install or ())}")
    core_troubles = [f.name for f in troubles if f.group == CORE]
    print(f"\nThe core does not work: {', '.join(core_troubles)}." if core_troubles else "\nThe core works.")
