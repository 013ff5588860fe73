from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import firmware
from toolchain.errors import InputError, OutputsDifferError, OverBudgetError
from toolchain.verification.activity import Activity
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.comparison import Comparison, Difference
from toolchain.verification.footprint_proof import Proof
from toolchain.verification.verdict import (
    Artifact,
    ConsoleRun,
    Failure,
    FirmwareReport,
    Verdict,
    profile_sha256,
    read_verdict,
)

VERDICT = Verdict(
    profile="stm32f405",
    profile_sha256="ab",
    graph_sha256="cd",
    images=10,
    operations=Activity(10, 50, 288, 15, 1008, 333, 224, {"stem": 0.25}),
    artifacts=(Artifact("firmware.elf", 5000, "ef"),),
    comparisons=(
        Comparison("firmware.elf", "unicorn", "emulated", 10, 20, 1, Difference(3, "cat", 1, 2), 9, 8, 9),
    ),
    firmware=(
        FirmwareReport("firmware.elf", "unicorn", "its own", (Proof("arena", 8, 8, True),), (100,), 8, 16, 8),
    ),
    budget=(BudgetLine("firmware.elf", "flash", 5000, 6000, "measured"),),
    notes=(),
    failures=(),
)


def failed(*failures: tuple[str, str]) -> Verdict:
    return replace(VERDICT, failures=tuple(Failure(*failure) for failure in failures))  # type: ignore[arg-type]


def test_document_is_json_with_a_version_and_what_follows_from_the_figures(tmp_path: Path) -> None:
    VERDICT.write(tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["schema"] == "spikenas-verdict/1" and document["passed"] is True
    assert document["comparisons"][0]["accuracy"] == 0.8
    assert document["comparisons"][0]["first"] == {"image": 3, "label": "cat", "expected": 1, "got": 2}
    assert document["operations"]["effective_acs"] == 333
    assert document["operations"]["spike_rates"] == {"stem": 0.25}
    assert document["budget"][0]["headroom"] == 1000
    assert document["firmware"][0]["proofs"][0]["holds"] is True


def test_every_figure_has_its_evidence() -> None:
    document = VERDICT.document()
    rows = [document["operations"], *document["comparisons"], *document["firmware"], *document["budget"]]
    assert {row["evidence"] for row in rows} == {"measured", "emulated"}


@pytest.mark.parametrize(
    ("causes", "error"),
    [
        (["differs"], OutputsDifferError),
        (["plan"], OutputsDifferError),
        (["broken"], InputError),
        (["over_budget"], OverBudgetError),
        (["over_budget", "plan"], OutputsDifferError),
        (["over_budget", "broken"], InputError),
        (["broken", "differs"], OutputsDifferError),
    ],
)
def test_cause_decides_the_error(causes: list[str], error: type[Exception]) -> None:
    verdict = failed(*((cause, f"because {cause}") for cause in causes))
    assert not verdict.passed
    assert type(verdict.error()) is error


def test_passed_verdict_has_no_error() -> None:
    assert VERDICT.passed and VERDICT.error() is None


def test_error_says_how_many_more() -> None:
    assert str(failed(("plan", "one thing")).error()) == "one thing"
    assert str(failed(("plan", "one"), ("plan", "two")).error()) == "one (and 1 more, see the report)"


def test_hash_of_a_profile_is_of_what_it_says() -> None:
    assert profile_sha256(firmware.profile()) == profile_sha256(firmware.profile())
    assert profile_sha256(firmware.profile()) != profile_sha256(firmware.profile(clock_hz=2_000_000))


def test_a_written_verdict_is_read_back(tmp_path: Path) -> None:
    console = ConsoleRun(
        "COM3", "net", "0.1.0", "gcc", True, 3, 100_000_000, "board", "cycles", 15_000, 20_000, (10_000,)
    )
    verdict = replace(failed(("over_budget", "too large")), consoles=(console,))
    (written,) = verdict.document()["consoles"]
    assert (written["latency_us"], written["latency_most_us"], written["evidence"]) == (150, 200, "measured")
    verdict.write(tmp_path / "report.json")
    assert read_verdict(tmp_path / "report.json") == verdict


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "has the schema None"),
        ('{"schema": "spikenas-verdict/9"}', "has the schema 'spikenas-verdict/9'"),
        ('{"schema": "spikenas-verdict/1"}', "is broken: profile: Field required"),
        ("{", "is not valid JSON"),
    ],
)
def test_what_is_no_verdict_is_one_sentence(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(InputError, match=says):
        read_verdict(tmp_path / "report.json")
