"""Write docs/search-quality.md: how good the networks are that different ways choose within the same budgets.

    python docs/quality.py --cifar10 FOLDER            (`make quality CIFAR10=FOLDER`; about half an hour on two cores)
    python docs/quality.py --cifar10 FOLDER --quick    one seed and short trainings, to see it work; writes nothing

FOLDER is cifar-10-binary.tar.gz, or CIFAR-10 as folders train/ and test/ of one folder a class. Fashion-MNIST comes
with Debian's dataset-fashion-mnist. Whatever was computed is kept in build/quality and not computed again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from _choices import FRESH, Choice, others, ours

from toolchain import profiles
from toolchain.architecture.text import parse, to_text
from toolchain.datasets import Dataset, load
from toolchain.profiles.budget import budget
from toolchain.search.board import Board
from toolchain.search.entries import start_entry
from toolchain.search.evaluation import Evaluation
from toolchain.search.executors import Workers
from toolchain.search.operation_sets import operations_for
from toolchain.search.problem import Problem
from toolchain.search.settings import SearchSettings
from toolchain.search.sitting import sitting
from toolchain.search.trainings import MOST_HELD_OUT, Extent, Outcome, training_job

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "search-quality.md"
KEPT = ROOT / "build" / "quality"
FIRST_SEED = 90_000
"""Seeds of the trainings that are compared: no search uses them."""


@dataclass(frozen=True)
class Setting:
    """A board, its narrowed limits, and the data."""

    title: str
    profile: str
    data: str
    limits: dict[str, float]


SETTINGS = (
    Setting("Fashion-MNIST, STM32F405", "stm32f405", "fashion_mnist", {}),
    Setting(
        "Fashion-MNIST, STM32F405 narrowed to 48 KiB of flash and 12 ms",
        "stm32f405",
        "fashion_mnist",
        {"flash_bytes": 48 * 1024, "latency_ms": 12.0},
    ),
    Setting("CIFAR-10, STM32H743", "stm32h743", "cifar10", {}),
)


def main() -> int:
    """Compare every way on every setting and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cifar10", type=Path, help="CIFAR-10: its binary archive, or image folders")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seen", type=int, default=30_000, help="images seen in each compared training")
    parser.add_argument("--time-budget", type=float, default=270.0, help="seconds of our search, a setting")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    if asked.quick:
        asked.seeds, asked.seen, asked.time_budget = 1, 2_000, 30.0
    tables = []
    for setting in SETTINGS:
        if setting.data == "cifar10" and asked.cifar10 is None:
            print("without --cifar10 its table is left out", file=sys.stderr)
            continue
        tables.append(_table(setting, _compare(setting, asked)))
    header = HEADER.format(seen=asked.seen, seeds=asked.seeds, held_out=MOST_HELD_OUT, fresh=FRESH)
    page = header + "\n".join(tables)
    print(page)
    if not asked.quick:
        PAGE.write_text(page)
    return 0


def _compare(setting: Setting, asked: argparse.Namespace) -> list[Row]:
    source, size = (str(asked.cifar10), 32) if setting.data == "cifar10" else (setting.data, None)
    data = load(source, size=size, channels=None, crop="none", seed=0, limit=None)
    profile = profiles.load(setting.profile)
    board = Board.for_data(profile, budget(profile, **setting.limits), data)  # type: ignore[arg-type]
    folder = KEPT / f"{'quick-' if asked.quick else ''}{len(setting.limits)}-{setting.profile}-{setting.data}"
    extent = SearchSettings(0, asked.time_budget, operations_for(board))
    with _sitting(board, data, extent, folder / "ours.jsonl") as begun:
        chosen = begun.evaluation.once("choice", lambda: _kept(ours(begun.problem, begun.evaluation)))
    with _sitting(board, data, SearchSettings(0), folder / "others.jsonl") as begun:
        found = begun.evaluation.once(
            f"choices, {asked.seeds} seeds",
            lambda: [_kept(each) for each in others(begun.problem, begun.evaluation, asked.seeds)],
        )
    # Nothing was chosen by the test images, so they are what the chosen are compared by.
    compared = replace(data, validation=data.test)
    with _sitting(board, compared, SearchSettings(1), folder / "trainings.jsonl") as begun:
        return _rows(begun, [chosen, *found], asked)


@dataclass(frozen=True)
class _Begun:
    problem: Problem
    evaluation: Evaluation


@contextmanager
def _sitting(board: Board, data: Dataset, extent: SearchSettings, journal: Path) -> Iterator[_Begun]:
    problem = Problem(board, data, extent)
    start = start_entry(journal.stem, problem)
    with sitting(start, problem, workers=Workers(2), journal=journal, progress=_say) as begun:
        yield _Begun(problem, begun.evaluation)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _kept(choice: Choice) -> dict[str, Any]:
    return vars(choice) | {"architecture": to_text(choice.architecture)}


@dataclass(frozen=True)
class Row:
    """A way, the accuracies of its trainings, and what its network takes (of random picks: on average)."""

    way: str
    accuracies: list[float]
    size_bytes: float
    latency_ms: float
    seconds: float
    note: str
    lines: list[str]


def _rows(begun: _Begun, chosen: Sequence[dict[str, Any]], asked: argparse.Namespace) -> list[Row]:
    extent = Extent.of(asked.seen, len(begun.problem.data.train))
    ways: dict[str, list[dict[str, Any]]] = {}
    for choice in chosen:
        ways.setdefault(choice["way"], []).append(choice)
    seeds = [FIRST_SEED + index for index in range(asked.seeds)]
    jobs = {}
    for way, members in ways.items():
        # Random picks train once each, another network for each seed.
        each = members if len(members) > 1 else members * len(seeds)
        networks = [parse(choice["architecture"]) for choice in each]
        jobs[way] = [
            training_job(network, extent, seed) for network, seed in zip(networks, seeds, strict=True)
        ]
    results = iter(begun.evaluation.results([job for each in jobs.values() for job in each], ended=_tell))
    return [_row(begun.problem.board, ways[way], [next(results) for _ in jobs[way]]) for way in ways]


def _tell(index: int, result: dict[str, Any]) -> None:
    _say(f"training {index + 1}: {result['quality']:.2%}")


def _row(board: Board, members: Sequence[dict[str, Any]], results: Sequence[dict[str, Any] | None]) -> Row:
    verdicts = [board.judge(parse(choice["architecture"])) for choice in members]
    footprints = [verdict.footprint for verdict in verdicts]
    return Row(
        members[0]["way"],
        [Outcome.of(result).quality for result in results if result is not None],
        fmean(used.flash_bytes or used.artifact_bytes or 0 for used in footprints),
        fmean(used.latency_ms or 0.0 for used in footprints),
        members[0]["seconds"],
        members[0]["note"],
        [choice["architecture"] for choice in members],
    )


def _table(setting: Setting, rows: Sequence[Row]) -> str:
    lines = [
        f"## {setting.title}",
        "",
        "| way | test accuracy | flash | time an image | search | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        spread = f" ± {100 * stdev(row.accuracies):.2f}" if len(row.accuracies) > 1 else ""
        lines.append(
            f"| {row.way} | {100 * fmean(row.accuracies):.2f}{spread} % | {row.size_bytes / 1024:.1f} KiB"
            f" | {row.latency_ms:.1f} ms | {row.seconds:.0f} s | {row.note} |"
        )
    lines += ["", "Networks:", ""]
    lines += [f"- {row.way}: `{line}`" for row in rows for line in row.lines]
    return "\n".join([*lines, ""])


HEADER = """\
# How good the networks are that a search returns

Written by `make quality`. Each way chooses a network within the same budget; all chosen networks then train alike
({seen:,} images seen, a quarter of them in integers, {seeds} seeds that no search used) and are measured on
{held_out:,} test images. Accuracy is the integer network's, mean ± standard deviation over the seeds. Flash is
predicted to the byte but for the code; the time an image takes is estimated; search is seconds on two cores.
SNASNet's procedure draws one cell for two positions, computes a fresh network for each draw and takes the highest
SAHD, of {fresh} draws instead of its 5,000. Random picks are another network for each seed.

"""


if __name__ == "__main__":
    sys.exit(main())
