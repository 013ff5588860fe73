from __future__ import annotations

from toolchain.reporting.markdown import markdown
from toolchain.reporting.tables import Table


def test_tables_and_sentences() -> None:
    table = Table("Budget", ("what", "used>"), (("flash", "12 B"),))
    assert markdown([table], ["all is well"]) == (
        "### Budget\n\n| what | used |\n| --- | ---: |\n| flash | 12 B |\n\n- all is well\n"
    )


def test_tables_without_rows_are_left_out() -> None:
    assert markdown([Table("Empty", ("what",), ())], ["nothing"]) == "- nothing\n"


def test_text_from_files_stays_in_its_cell() -> None:
    table = Table("T", ("what",), (("a|b\n| c |<img src=x>",),))
    assert markdown([table]).splitlines()[-1] == "| a\\|b \\| c \\|&lt;img src=x&gt; |"
