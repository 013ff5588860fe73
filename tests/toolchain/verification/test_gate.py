from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.verification.base_report import Base
from toolchain.verification.budgets_file import Entry
from toolchain.verification.gate import gate
from toolchain.verification.subjects import Subject

BOARD = load("stm32f405")


def entry(
    folder: Path, size_bytes: int, *, flash_bytes: int = 20_000, max_growth: str | None = "2/100"
) -> Entry:
    path = folder / "firmware.bin"
    path.write_bytes(bytes(size_bytes))
    subject = Subject(path, BOARD, budget(BOARD, flash_bytes=flash_bytes))
    return Entry("fw", subject, Fraction(max_growth) if max_growth else None)


def base(used: int) -> Base:
    return Base({("fw", "flash", "bytes"): used, ("old.bin", "flash", "bytes"): 7}, "commit 0123456 (then)")


def test_without_a_base_only_the_budget_counts(tmp_path: Path) -> None:
    found = gate([entry(tmp_path, 20_000)])
    assert found.failures == [] and found.notes == []
    assert gate([entry(tmp_path, 20_001)]).failures == [
        "fw is over budget by 1 bytes: flash needs 20,001 and has 20,000"
    ]


def test_over_budget_says_since_when(tmp_path: Path) -> None:
    (sentence,) = gate([entry(tmp_path, 20_500)], base(19_000)).failures
    assert sentence == (
        "fw is over budget by 500 bytes: flash needs 20,500 and has 20,000; that is 1,500 bytes (+7.9%) more than "
        "the 19,000 of commit 0123456 (then)"
    )


def test_growth_fails_within_the_budget_too(tmp_path: Path) -> None:
    (sentence,) = gate([entry(tmp_path, 10_300)], base(10_000)).failures
    assert sentence.startswith(
        "fw grew by more than the tolerated 2%: flash needs 10,300, 300 bytes (+3.0%) more"
    )
    assert gate([entry(tmp_path, 10_200)], base(10_000)).failures == []
    assert gate([entry(tmp_path, 10_300, max_growth=None)], base(10_000)).failures == []


def test_what_is_no_longer_checked_is_noted(tmp_path: Path) -> None:
    (note,) = gate([entry(tmp_path, 10)], base(10)).notes
    assert note == "of the report of commit 0123456 (then) these are no longer checked: old.bin (flash)"


@pytest.mark.parametrize(
    ("environment", "commit"),
    [
        ({}, None),
        ({"GITHUB_SHA": "ABCDEF0123"}, "abcdef0123"),
        ({"CI_COMMIT_SHA": "0123456789"}, "0123456789"),
        ({"GITHUB_SHA": "no commit", "CI_COMMIT_SHA": "0123456789"}, "0123456789"),
        ({"GITHUB_SHA": "::error::0123456"}, None),
    ],
)
def test_the_document_records_what_ci_says(
    tmp_path: Path, environment: dict[str, str], commit: str | None
) -> None:
    document = gate([entry(tmp_path, 10)], base(7)).document(environment)
    assert document["commit"] == commit and document["created"].endswith("+00:00")
    (line,) = document["lines"]
    assert (line["before"], line["change"], line["headroom"]) == (7, 3, 19_990)
    assert document["artifacts"][0] | {"name": "fw", "profile": "stm32f405"} == document["artifacts"][0]
