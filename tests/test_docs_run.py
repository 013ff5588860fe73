"""The documentation's code is run: every page's blocks, in order, in a folder that a reader would have.

The reader brings ``photos/`` (images in three folders) and has read the first guide, so ``runs/first`` is there.
What is not run carries a mark that says why (``tests/support/shown_code.py``); a block with neither fails.
"""

from __future__ import annotations

import os
import py_compile
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from filelock import FileLock
from PIL import Image

from tests.support.shown_code import Block, blocks
from toolchain import profiles
from toolchain.verification.budgets_file import FILE_NAME, read_budgets

ROOT = Path(__file__).resolve().parents[1]
GUIDES = ROOT / "docs" / "guides"
FIRST = GUIDES / "first-model.md"
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if page.parent.name != "reference" and page != FIRST
)
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
LIMIT_S = 120


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


class Reader:
    """Someone who types what a page shows, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, folder / ".programs"
        self.programs.mkdir(parents=True, exist_ok=True)
        program = self.programs / "spikenas-deploy"
        program.write_text(
            f"#!{sys.executable}\n"
            "import os, shlex, sys\n"
            f"sys.path.insert(0, {str(ROOT)!r})\n"
            "from toolchain.cli.main import main\n"
            "if __name__ == '__main__':  # a search's workers import this file\n"
            "    verb, *options = shlex.split(os.environ['QUICK'])\n"
            "    sys.argv += options if sys.argv[1:2] == [verb] else []\n"
            "    sys.exit(main())\n"
        )
        program.chmod(0o755)
        (self.programs / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        (self.programs / "python").chmod(0o755)
        _photos(folder / "photos")

    def follow(self, page: Path, require_tool: Callable[[str], str]) -> None:
        """Do all that ``page`` shows."""
        for block in blocks(page):
            if "not run" in block.marks or "captured" in block.marks:
                continue
            for program in block.marks.get("needs", "").split():
                require_tool(program)
            place = f"{name_of(page)}:{block.line}"
            if block.file is not None:
                (self.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / block.file).write_text(block.text)
            HOW[block.language](self, block, place)

    def run(self, words: list[str], place: str, code: int = 0, quick: str = "-") -> None:
        """Run a program as a shell of this folder would, and fail with all it printed if it ends otherwise."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))
        }
        environment["PATH"] = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        # The terminal's colours and the machine's cores are not what is tested.
        environment |= {"QUICK": quick, "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        assert done.returncode == code, f"{place} ended with {done.returncode}:\n{done.stdout[-4000:]}"


def _photos(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for index, name in enumerate(("left", "right", "straight")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(16):
            pixels = rng.integers(0, 60, (36, 48, 3)).astype(np.uint8)
            pixels[:, 16 * index : 16 * index + 12] = 220
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def _shell(reader: Reader, block: Block, place: str) -> None:
    code = int(block.marks.get("exits", "0"))
    script = "\n".join(block.commands)
    reader.run(["bash", "-euo", "pipefail", "-c", script], place, code, block.marks.get("quick", "-"))


def _python(reader: Reader, block: Block, place: str) -> None:
    if block.file is None:
        reader.run([sys.executable, "-c", block.text], place)
    else:  # a later command runs it
        py_compile.compile(str(reader.folder / block.file), doraise=True)


def _toml(reader: Reader, block: Block, place: str) -> None:
    assert block.file is not None, f"{place}: say on its first line, in a comment, which file this is"
    file = reader.folder / block.file
    if file.name == FILE_NAME:
        kept = Path.cwd()
        os.chdir(reader.folder)
        try:
            read_budgets(Path(FILE_NAME))
        finally:
            os.chdir(kept)
    else:
        profiles.load(file)


def _yaml(reader: Reader, block: Block, place: str) -> None:
    workflow = yaml.safe_load(block.text)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert steps and all(("uses" in step) != ("run" in step) for step in steps), place
    ours = [step for step in steps if "/spikenas-deploy@" in step.get("uses", "")]
    assert ours and all(step.get("with", {}).keys() <= ACTION["inputs"].keys() for step in ours), place


def _built(reader: Reader, block: Block, place: str) -> None:
    """A file that a later command of the page compiles or reads."""
    assert block.file is not None, f"{place}: say on its first line, in a comment, which file this is"


def _shown(reader: Reader, block: Block, place: str) -> None:
    assert not re.search("^(\\$ )?spikenas-deploy ", block.text, re.MULTILINE), (
        f"{place}: a command is shown as text; use sh or console"
    )


HOW: dict[str, Any] = {
    "sh": _shell,
    "console": _shell,
    "python": _python,
    "toml": _toml,
    "yaml": _yaml,
    "c": _built,
    "cmake": _built,
    "text": _shown,
}


def _nothing(program: str) -> str:
    raise AssertionError(f"the first guide needs {program}")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first guide was followed, once for all processes of the test session."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, failed = base / "reader", base / "reader.failed"
    with FileLock(base / "reader.lock"):
        if failed.exists():
            pytest.fail("the first guide does not run; see its own test", pytrace=False)
        if not folder.exists():
            failed.touch()
            Reader(folder).follow(FIRST, _nothing)
            failed.unlink()
    return folder


def test_the_first_guide_runs(shared: Path) -> None:
    assert (shared / "runs" / "first" / "report.html").is_file()


def shown() -> Iterator[Path]:
    """Pages with something to run."""
    for page in PAGES:
        if any(not {"not run", "captured"} & block.marks.keys() for block in blocks(page)):
            yield page


@pytest.mark.parametrize("page", list(shown()), ids=name_of)
def test_what_a_page_shows_runs(
    page: Path, tmp_path: Path, require_tool: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    # Only a page that goes on from the first guide waits for it, so that another process can begin with the rest.
    if any("runs/first" in block.text for block in blocks(page)):
        shutil.copytree(request.getfixturevalue("shared") / "runs", tmp_path / "runs")
    Reader(tmp_path).follow(page, require_tool)


@pytest.mark.parametrize("page", [FIRST, *PAGES], ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    """A language that is run here, or why not; an unknown mark, or one without a reason, is told."""
    for block in blocks(page):
        place = f"{name_of(page)}:{block.line}"
        assert block.language in HOW, f"{place}: begin the block with ``` and one of {', '.join(HOW)}"
        assert len(block.marks.get("not run", "a reason")) > 5, f"{place}: say why it is not run"
        quick = shlex.split(block.marks.get("quick", "search"))
        assert re.fullmatch("[a-z]+", quick[0]), f"{place}: the mark quick begins with a verb"
        assert block.commands or block.language not in ("sh", "console"), f"{place}: shows no command"
