"""What the documentation shows as code, and the marks that stand above it.

A mark is an HTML comment, so that a reader of the page does not see it:

<!-- not run: REASON -->         the block is not run here
<!-- quick: VERB OPTIONS -->     runs of ``spikenas-deploy VERB`` in the block get these options too, to take seconds
<!-- needs: PROGRAM -->          run where this program is installed
<!-- exits: CODE -->             the block's last command ends with this exit code
<!-- captured ... -->            run by `make readme`, which also writes its output
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKS = ("not run", "quick", "needs", "exits", "captured", "results", "/results")
_MARK = re.compile(r"<!--\s*(?P<name>[a-z/][a-z ]*[a-z])(?::\s*(?P<value>.*?)|\s[^:]*?)?\s*-->", re.DOTALL)
_FILE = re.compile(r"\s*(?:#|//|/\*)\s*(?P<path>[\w./-]+\.\w+|[\w./-]*/Kbuild)(?:\s*\*/)?(?::.*|\s*)")


@dataclass(frozen=True)
class Block:
    """A fenced or indented block; ``language`` is empty where none is said, ``line`` counts from 1."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str | None:
        """Where the reader is to write it: what a comment on the block's first line names."""
        found = _FILE.fullmatch(self.text.partition("\n")[0])
        return found["path"] if found else None

    @property
    def commands(self) -> list[str]:
        """Its shell commands, each on one line; of a console's transcript what stands behind the prompt."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language == "console":
            return [line[2:] for line in lines if line.startswith("$ ")]
        if self.language == "sh":
            return [line for line in lines if line.strip() and not line.startswith("#")]
        return []


def blocks(page: Path) -> Iterator[Block]:
    """Every block of ``page``, in order; raises ``ValueError`` for a mark that is not known."""
    marks: dict[str, str] = {}
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "html_block":
            marks |= dict(_marks(page, token))
        elif token.type in ("fence", "code_block") and token.map is not None:
            language = token.info.split()[0] if token.info.split() else ""
            yield Block(page, token.map[0] + 1, language, token.content, marks)
            marks = {}
        elif not token.hidden and token.nesting != -1:
            marks = {}


def inline_code(page: Path) -> Iterator[str]:
    """Every piece of code within a sentence."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def _marks(page: Path, token: Token) -> Iterator[tuple[str, str]]:
    for found in _MARK.finditer(token.content):
        if found["name"].split(" last")[0] not in MARKS:
            raise ValueError(f"{page.name}: the mark {found[0]!r} is none of {', '.join(MARKS)}")
        yield found["name"], " ".join((found["value"] or "").split())
