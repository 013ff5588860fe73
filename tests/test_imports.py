"""The invariants between rooms that an import statement can break."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
OURS = ("toolchain", "exporters", "hardware_profiles")
SOURCES = sorted(file for package in OURS for file in (ROOT / package).rglob("*.py"))

LEVELS = [
    {
        "toolchain.errors",
        "toolchain.escapes",
        "toolchain.files",
        "toolchain.framing",
        "toolchain.durations",
        "toolchain.measures",
        "toolchain.quality",
        "toolchain.quantities",
        "toolchain.schedules",
        "toolchain.environment",
        "hardware_profiles",
    },
    {"toolchain.graph", "toolchain.profiles", "toolchain.architecture", "toolchain.datasets"},
    {"toolchain.cost", "toolchain.runs", "toolchain.settings"},
    {"toolchain.network", "exporters"},
    {
        "toolchain.search",
        "toolchain.training",
        "toolchain.importing",
        "toolchain.verification",
        "toolchain.inspecting",
        "toolchain.reporting",
        "toolchain.flashing",
        "toolchain.delivery",
    },
    {"toolchain.cli"},
]
"""Lowest first: a room imports from its own level and those below."""

NAMED_IN_STRINGS = {"ziglang", "tflite-runtime", "tensorboard", "nirtorch", "pyocd", "stm32loader"}
"""Run with ``python -m`` or as programs, imported by name, by ``torch.utils.tensorboard``, or by snntorch."""

HEAVY = {"torch", "snntorch"}


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, full name) of every module a file imports, function-level imports included."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            yield node.lineno, str(node.module)
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def level(module: str) -> int | None:
    """Index into ``LEVELS``; None for what no room holds (``toolchain`` itself)."""
    return next(
        (i for i, rooms in enumerate(LEVELS) for room in rooms if f"{module}.".startswith(f"{room}.")), None
    )


def test_every_room_has_a_level() -> None:
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts[:2]) for file in SOURCES}
    modules -= {"toolchain.__init__", "toolchain.__main__"}
    assert [m for m in sorted(modules) if level(m) is None] == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file: Path) -> None:
    own = level(".".join(file.relative_to(ROOT).with_suffix("").parts))
    upward = [
        f"line {line}: {name}" for line, name in imports(file) if own is not None and (level(name) or 0) > own
    ]
    assert upward == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(ROOT)))
def test_no_torch_below_network(file: Path) -> None:
    own = level(".".join(file.relative_to(ROOT).with_suffix("").parts))
    allowed = own is None or own >= 3 or "environment" in file.parts
    heavy = [f"line {line}: {name}" for line, name in imports(file) if name.partition(".")[0] in HEAVY]
    assert allowed or heavy == []


def imported_packages() -> dict[str, str]:
    """Top-level name of every third-party import -> one place that imports it."""
    # The probes of `doctor` import whatever is declared, so they prove nothing.
    using = [file for file in SOURCES if file.name != "probes.py"]
    found = {name.partition(".")[0]: f"{file}:{line}" for file in using for line, name in imports(file)}
    known = {*sys.stdlib_module_names, *OURS, "tomllib"}
    return {name: place for name, place in found.items() if name not in known}


def test_whatever_is_imported_is_declared_and_whatever_is_declared_is_imported() -> None:
    declared = {Requirement(text) for text in metadata.requires("spikenas-deploy") or []}
    shipped = {r.name for r in declared if not (r.marker and "dev" in str(r.marker))}
    distributions = metadata.packages_distributions()
    imported = {
        distribution.lower().replace("_", "-")
        for name in imported_packages()
        for distribution in distributions.get(name, [name])
    }
    assert sorted(imported - shipped) == [], "imported and not declared in pyproject.toml"
    assert sorted(shipped - imported - NAMED_IN_STRINGS) == [], (
        "declared in pyproject.toml and never imported"
    )
