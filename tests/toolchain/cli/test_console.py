from __future__ import annotations

import json
import math

import pytest

from toolchain.cli.console import emit, kib, print_table, printable, progress


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 KiB"),
        (1, "0.0 KiB"),
        (700, "0.7 KiB"),
        (192 * 1024, "192 KiB"),
        (-1536, "-1.5 KiB"),
        (10 * 1024**2 - 1024, "10,239 KiB"),
        (10 * 1024**2, "10 MiB"),
        (4 * 1024**3, "4,096 MiB"),
        (16 * 1024**3 + 1, "16.0 GiB"),
    ],
)
def test_sizes(n_bytes: int, text: str) -> None:
    assert kib(n_bytes) == text


def test_data_goes_to_stdout_and_progress_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    progress("training")
    emit({"used_bytes": 5}, False, lambda document: print(document["used_bytes"]))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("5\n", "training\n")


def test_json_is_one_document_and_never_nan(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"used_bytes": 5}, True, lambda document: pytest.fail("rendered as text too"))
    assert json.loads(capsys.readouterr().out) == {"used_bytes": 5}
    with pytest.raises(ValueError):
        emit({"loss": math.nan}, True, print)
    assert capsys.readouterr().out == ""


def test_a_table_keeps_brackets_long_cells_and_alignment(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 150
    print_table(["Name", "Bytes>"], [("[red]a[/red]", 5), (long, 12345)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("[red]a[/red] ") and lines[1].rstrip().endswith("     5")
    assert lines[2].split() == [long, "12345"]


def test_control_characters_are_shown_not_sent() -> None:
    assert printable("a\tb\n\x1b[31m\x9b\u202e") == "a\tb\n\\x1b[31m\\x9b\\u202e"
    assert printable("grün 🙂") == "grün 🙂"
