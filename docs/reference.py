"""Write what the code says of itself into docs/reference (`make docs`); a test holds the files equal to the code.

cli.md is made from the verbs' own help, boards.md from the hardware profiles, formats.md from the catalog of exporters,
report-schema.json from the classes of a report.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporters.base import TARGETS
from exporters.c.integrations import INTEGRATIONS
from toolchain import profiles
from toolchain.cli.lazy import VERBS, load_verb
from toolchain.cli.main import PROGRAM
from toolchain.importing.rules import RULES, neurons_are_separate
from toolchain.profiles.budget import budget, format_size
from toolchain.profiles.schema import Profile
from toolchain.reporting.document import json_schema

FOLDER = Path(__file__).resolve().parent / "reference"
MADE = "<!-- made by `make docs` -->\n"


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


def pages() -> dict[str, str]:
    """File name -> text of every page."""
    schema = json.dumps(json_schema(), indent=2) + "\n"
    made = {
        "cli.md": _command_line(),
        "boards.md": _boards(),
        "formats.md": _formats(),
        "layers.md": _layers(),
    }
    return {name: MADE + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()} | {
        "report-schema.json": schema
    }


def _command_line() -> Iterator[str]:
    yield "# Command line\n"
    yield inspect.cleandoc(
        """
        Results go to stdout, progress to stderr; `--json` prints one JSON document. Exit codes: 0 fine, 1 bug, 2 usage,
        3 bad input, 4 over budget, 5 outputs differ, 6 a needed tool is missing, 130 interrupted.
        """
    )
    verbs = [found for name in VERBS for found in _verbs(load_verb(name), (PROGRAM, name))]
    for path, command in verbs:
        context = command.make_context(" ".join(path), [], resilient_parsing=True)
        yield f"\n## {' '.join(path[1:])}\n"
        yield f"    {' '.join(path)} {' '.join(command.collect_usage_pieces(context))}\n"
        yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
        records = [
            record for each in command.get_params(context) if (record := each.get_help_record(context))
        ]
        for name, meaning in records:
            yield f"- `{name}`: {' '.join(meaning.split())}"


def _verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = command.make_context(path[-1], [], resilient_parsing=True)
    for name in command.list_commands(context):
        yield from _verbs(command.get_command(context, name), (*path, name))


def _boards() -> Iterator[str]:
    yield "# Boards\n"
    yield "What each shipped profile leaves to the network. `profiles show NAME` has every number with its source.\n"
    yield "| profile | board | role | core | limits | export | flashed with | pixels |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in profiles.available():
        profile = profiles.load(name)
        cells = (
            f"`{name}`",
            profile.title,
            profile.role,
            profile.core or "-",
            _limits(profile),
            ", ".join(profile.default_formats),
            ", ".join(profile.flash_tools) or "-",
            profile.pixels or "-",
        )
        yield f"| {' | '.join(cells)} |"


def _limits(profile: Profile) -> str:
    limits = budget(profile)
    sizes = {
        "flash": limits.flash_bytes,
        "SRAM": limits.sram_bytes,
        "artifact": limits.artifact_bytes,
        "resident": limits.resident_bytes,
    }
    found = [f"{kind} {format_size(size)}" for kind, size in sizes.items() if size is not None]
    if limits.latency_ms is not None:
        found.append(f"{limits.latency_ms:g} ms an image")
    return ", ".join(found)


def _formats() -> Iterator[str]:
    yield "# Formats and targets\n"
    yield "What `export --format FORMAT --target TARGET` writes; a format alone means its first target.\n"
    yield "| format | target | files | runs in | needs |"
    yield "|---|---|---|---|---|"
    for target in TARGETS:
        files = ", ".join(f"`{file}`" for file in target.files)
        yield f"| {target.format} | {target.name} | {files} | {target.runs_in} | {target.needs or 'nothing more'} |"
    yield "\n## Builds that the C sources are made ready for\n"
    yield (
        "What `export --integration NAME` adds to `artifacts/c` of a run; CMake is always there, and boards with a "
        "firmware of their own name theirs. What is to be copied goes to where you keep your own sources: `flash` "
        "refuses a run among whose artifacts something was built or written.\n"
    )
    yield "| integration | what it is | how to use it | documented at |"
    yield "|---|---|---|---|"
    for integration in INTEGRATIONS.values():
        yield f"| {integration.name} | {integration.title} | {integration.use} | {integration.source} |"


def _layers() -> Iterator[str]:
    yield "# Layers that are imported\n"
    yield inspect.cleandoc(
        """
        What `import` asks of the layers of a model, rule by rule. A layer that breaks one is refused by its index and
        type, with what to use instead. [Bring your own network](../guides/import.md) says what each layer becomes, and
        what must stand beside what.
        """
    )
    yield ""
    for rule in (*RULES, neurons_are_separate):
        yield f"- {' '.join(inspect.cleandoc(rule.__doc__ or '').split())}"


if __name__ == "__main__":
    main()
