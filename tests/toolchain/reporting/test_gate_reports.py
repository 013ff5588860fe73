"""The gate's tables, JUnit XML and annotations, with names that try to be more than names."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from toolchain.profiles import load
from toolchain.profiles.budget import budget
from toolchain.reporting.gate_tables import gate_tables
from toolchain.reporting.github import annotation
from toolchain.reporting.junit import junit_xml
from toolchain.reporting.markdown import markdown
from toolchain.verification.base_report import Base, growth
from toolchain.verification.budget_lines import BudgetLine
from toolchain.verification.budgets_file import Entry
from toolchain.verification.check import Checked
from toolchain.verification.gate import Gate, Result
from toolchain.verification.image_map import MemoryRow
from toolchain.verification.subjects import Subject

BOARD = load("stm32f405")
BASE = Base({("a.elf", "flash", "bytes"): 1000, ("a.elf", "sram", "bytes"): 500}, "commit 0123456 (then)")
LINES = [
    BudgetLine("a.elf", "flash", 1500, 1200, "measured"),
    BudgetLine("a.elf", "sram", 500, 4000, "measured"),
    BudgetLine("a.elf", "flash, network", 300, None, "measured", note="by symbols net_*"),
    BudgetLine("a.elf", "elsewhere", 16, None, "measured"),
]
MEMORY = (
    MemoryRow("flash", ".text", 0x0800_0000, 1500, 300),
    MemoryRow(None, ".backup", 0x4002_4000, 16, 0),
)
HOSTILE = "a\x1b[31m\x00|<b>]]>&\"'\n::error::x%0A,\ud800.elf"


def made(name: str = "a.elf", base: Base | None = BASE) -> Gate:
    entry = Entry(name, Subject(Path(name), BOARD, budget(BOARD)))
    growths = tuple(growth(line, base, None) for line in LINES) if base else ()
    return Gate((Result(entry, Checked(LINES, MEMORY, []), growths),), base, ())


def test_the_budget_has_a_column_of_changes_where_there_is_a_base() -> None:
    with_base, without = gate_tables(made())[0], gate_tables(made(base=None))[0]
    assert with_base.columns == (
        "artifact",
        "resource",
        "used>",
        "change>",
        "available>",
        "headroom>",
        "evidence",
    )
    assert [row[3] for row in with_base.rows] == ["+500 (+50.0%)", "0", "new", "new"]
    assert "change>" not in without.columns and with_base.rows[2][4:6] == ("no limit", "")


def test_memory_shows_sections_the_network_s_part_and_what_is_free() -> None:
    table = gate_tables(made())[1]
    assert table.title == "Memory of a.elf"
    assert table.rows == (
        ("flash", ".text", "0x08000000", "1,500", "300", ""),
        ("flash", "in all", "", "1,500", "300", "-300"),
        ("elsewhere", ".backup", "0x40024000", "16", "0", ""),
        ("elsewhere", "in all", "", "16", "0", ""),
    )


def test_junit_has_a_case_a_limit_and_says_what_failed() -> None:
    root = ElementTree.fromstring(junit_xml(made()))
    (suite,) = root
    assert (root.get("tests"), root.get("failures"), suite.get("name")) == ("4", "1", "a.elf")
    assert [case.get("name") for case in suite] == ["flash", "sram", "flash, network", "elsewhere"]
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "over budget" and "over budget by 300 bytes" in str(failure.text)
    assert "500 bytes (+50.0%) more than the 1,000 of commit 0123456" in str(failure.get("message"))


def test_names_cannot_break_xml_or_markdown() -> None:
    gate = made(HOSTILE)
    (suite,) = ElementTree.fromstring(junit_xml(gate))
    assert suite.get("name") == "a\\x1b[31m\\x00|<b>]]>&\"'\\n::error::x%0A,\\ud800.elf"
    text = markdown(gate_tables(gate))
    assert (
        "<b>" not in text
        and "\x1b" not in text
        and all(line[:1] in "|#-" for line in text.splitlines() if line)
    )


@pytest.mark.parametrize(
    ("message", "file", "line"),
    [
        ("flash", "a.elf", "::error file=a.elf,title=check::flash"),
        ("100%\r\n::error::x", "a.elf", "::error file=a.elf,title=check::100%25%0D%0A::error::x"),
        ("%0A", "a%2C", "::error file=a%252C,title=check::%250A"),
        ("x", "a,line=1:b\n.elf", "::error file=a%2Cline=1%3Ab%0A.elf,title=check::x"),
        ("a\x1b[31m", "a.elf", "::error file=a.elf,title=check::a\\x1b[31m"),
    ],
)
def test_annotations_are_escaped(message: str, file: str, line: str) -> None:
    assert annotation("error", message, file=file, title="check") == line
