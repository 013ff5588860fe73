"""The documentation says what the code does: pages made from it are as it makes them, and no link leads nowhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
from typer import Exit

from tests.support.shown_code import blocks, inline_code
from toolchain.cli.lazy import load_verb

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_reference", ROOT / "docs" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_pages_are_as_the_code_makes_them(reference: ModuleType) -> None:
    made = reference.pages()
    there = {path.name for path in (ROOT / "docs" / "reference").iterdir()}
    assert there == set(made), "run `make docs`"
    for name, text in made.items():
        assert (ROOT / "docs" / "reference" / name).read_text() == text, f"{name} is old: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            found = [(page.parent / link).resolve() for link in LINK.findall(page.read_text())]
            waiting += [link for link in found if link.suffix == ".md"]
    assert set(PAGES) <= reached


def commands() -> list[tuple[str, str]]:
    """(page, command) of every whole command line that a page shows; ``...`` and [optional] parts are not whole."""
    shown = []
    for page in PAGES:
        if page.parent.name != "reference":
            lines = [command for block in blocks(page) for command in block.commands]
            for line in [*lines, *inline_code(page)]:
                line = line.split(";")[0].split("|")[0].split(" #")[0].strip().removeprefix(".venv/bin/")
                if (
                    re.match("spikenas-deploy [a-z]", line)
                    and not set("[<…") & set(line)
                    and "..." not in line
                ):
                    shown.append((str(page.relative_to(ROOT)), line))
    return shown


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_that_are_shown_parse(page: str, line: str) -> None:
    """Verbs, options and the kinds of their values; nothing is run."""
    words = shlex.split(line)[1:]
    path = words[:2] if words[0] == "profiles" else words[:1]
    command = load_verb(path[0])
    for name in path[1:]:
        command = command.get_command(command.make_context(path[0], [], resilient_parsing=True), name)
    try:
        command.make_context(" ".join(path), words[len(path) :])
    except Exit:
        pass  # --help
