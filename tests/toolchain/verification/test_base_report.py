from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from toolchain.errors import InputError
from toolchain.verification.base_report import Base, growth, read_base
from toolchain.verification.budget_lines import BudgetLine

LINE = BudgetLine("firmware.elf", "flash", 102_500, 1_048_576, "measured")
REPORT = {
    "schema": "spikenas-check/1",
    "created": "2026-11-20T10:30:00+00:00",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "lines": [{"artifact": "firmware.elf", "resource": "flash", "used": 100_000, "unit": "bytes", "new": 1}],
    "said_by_a_newer_release": True,
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "base.json"
    path.write_text(json.dumps(REPORT | changes))
    return path


def test_a_report_says_what_was_used_and_since_when(tmp_path: Path) -> None:
    assert read_base(written(tmp_path)) == Base(
        {("firmware.elf", "flash", "bytes"): 100_000}, "commit 0123456789ab (2026-11-20 10:30 UTC)"
    )
    assert read_base(written(tmp_path, commit=None)).since == "2026-11-20 10:30 UTC"


def test_growth_within_and_beyond_what_is_tolerated(tmp_path: Path) -> None:
    base = read_base(written(tmp_path))
    for share, beyond in (("5/200", False), ("499/20000", True), ("0", True)):
        found = growth(LINE, base, Fraction(share))
        assert (found.change, found.beyond, bool(found.failure)) == (2500, beyond, beyond)
    assert growth(LINE, base, None).failure == ""
    assert growth(LINE, base, Fraction(2, 100)).failure == (
        "firmware.elf grew by more than the tolerated 2%: flash needs 102,500, 2,500 bytes (+2.5%) more than the "
        "100,000 of commit 0123456789ab (2026-11-20 10:30 UTC)"
    )


@pytest.mark.parametrize(("before", "beyond"), [(None, False), (0, True), (102_500, False), (200_000, False)])
def test_new_unused_equal_and_shrunk(before: int | None, beyond: bool) -> None:
    used = {} if before is None else {("firmware.elf", "flash", "bytes"): before}
    found = growth(LINE, Base(used, "then"), Fraction(0))
    assert found.beyond == beyond and found.before == before
    assert found.change == (None if before is None else 102_500 - before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "spikenas-check/2"}, "schema is 'spikenas-check/2'; use one of"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-11-20T10:30:00+00:00\n::error::x"}, "created"),
        ({"commit": "::error::x"}, "commit"),
        ({"commit": "0123456\n"}, "commit"),
        ({"lines": 5}, "lines"),
        ({"lines": [{}]}, "is missing; add it"),
        ({"lines": [REPORT["lines"][0] | {"used": -1}]}, "used"),  # type: ignore[index]
        ({"lines": [REPORT["lines"][0] | {"used": 2**63}]}, "used"),  # type: ignore[index]
        ({"lines": [REPORT["lines"][0] | {"used": 1.5}]}, "used"),  # type: ignore[index]
        ({"lines": [REPORT["lines"][0]] * 20_001}, "lines"),  # type: ignore[index]
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_base(written(tmp_path, **changes))
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith("wrote, spikenas-check/1)") and len(sentence) < 400


@pytest.mark.parametrize("text", ["", "[1]", "null", '{"schema": 1}', "[" * 100_000, '{"a"'])
def test_what_is_no_json_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_base(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
