"""Run the commands that README.md shows and put what they print back into it (`make readme`).

A block that begins with `$ command` below a marker `<!-- captured -->` is replaced by the command's present
output; commands run in order in one fresh folder, so a later one sees what an earlier one made. The table below
`<!-- results -->` is made from what `make accept` left in build/accept.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "build" / "accept"
CAPTURED = re.compile(
    r"(<!-- captured(?: last=(\d+))? -->\n```console\n)(\$ ([^\n]+)\n)(.*?)(```\n)", re.DOTALL
)
TABLE = re.compile(r"(<!-- results -->\n)(.*?)(<!-- /results -->\n)", re.DOTALL)
COLUMNS = ("board", "data", "test accuracy", "flash", "SRAM", "instructions", "evidence")


def main() -> int:
    """Rewrite README.md; a command that cannot be run leaves it as it was."""
    text = README.read_text()
    with tempfile.TemporaryDirectory() as folder:
        text = CAPTURED.sub(lambda found: _capture(found, Path(folder)), text)
    text = TABLE.sub(lambda found: found[1] + _table() + found[3], text)
    README.write_text(text)
    return 0


def _capture(found: re.Match[str], folder: Path) -> str:
    print(f"$ {found[4]}", file=sys.stderr)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "110",
    }
    command, _, code = found[4].partition("; echo ")
    done = subprocess.run(
        command.split(),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode not in ((0,) if not code else (0, 4)):
        raise SystemExit(f"{found[4]} exited {done.returncode}:\n{done.stdout}")
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    if found[2] and len(lines) > int(found[2]):
        lines = ["...", *lines[-int(found[2]) :]]
    if code:
        lines.append(str(done.returncode))
    return found[1] + found[3] + "\n".join(lines) + "\n" + found[6]


def _table() -> str:
    files = sorted(RESULTS.glob("*.json"))
    if not files:
        raise SystemExit(f"{RESULTS.relative_to(ROOT)} holds no results; run `make accept` first")
    rows = [json.loads(file.read_text()) for file in files]
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(str(row[column]) for column in COLUMNS) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
