from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.errors import InputError
from toolchain.search.journal import Journal, read_journal

ENTRIES = [{"kind": "start", "seed": 0}, {"kind": "candidate", "text": "é\n"}, {"kind": "result"}]


def written(path: Path) -> bytes:
    with Journal(path) as journal:
        for entry in ENTRIES:
            journal.write(entry)
    return path.read_bytes()


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run" / "search.jsonl"
    assert written(path).count(b"\n") == 3
    assert read_journal(path) == ENTRIES


@given(torn=st.integers(0, 10**6))
def test_any_torn_tail_loses_only_the_line_it_tears(
    torn: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / "search.jsonl"
    whole = written(path)
    kept = whole[: torn % (len(whole) + 1)]
    path.write_bytes(kept)
    assert read_journal(path) == ENTRIES[: kept.count(b"\n")]
    with Journal(path) as journal:
        journal.write({"kind": "resumed"})
    assert read_journal(path) == [*ENTRIES[: kept.count(b"\n")], {"kind": "resumed"}]


def test_a_torn_line_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "search.jsonl"
    path.write_bytes(b'{"kind": "start"}\n' + b"x" * 200_000)
    Journal(path).close()
    assert path.read_bytes() == b'{"kind": "start"}\n'


def test_an_entry_is_on_disk_when_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "search.jsonl"
    program = (
        "import sys, time; from pathlib import Path; from toolchain.search.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.write({'kind': 'start'})\n"
        "print('written', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"written\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    assert read_journal(path) == [{"kind": "start"}]


def test_broken_lines_before_the_last_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "search.jsonl"
    for line, words in ((b"{not json}", "line 2 is not JSON"), (b"[1]", "line 2 is not a JSON object")):
        path.write_bytes(b"{}\n" + line + b"\n{}\n")
        with pytest.raises(InputError, match=words):
            read_journal(path)


def test_no_journal_and_no_place_for_one(tmp_path: Path) -> None:
    with Journal(None) as journal:
        journal.write({"kind": "start"})
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        Journal(tmp_path / "file" / "search.jsonl")
    with pytest.raises(InputError, match="cannot read"):
        read_journal(tmp_path / "absent.jsonl")


def test_what_json_cannot_say_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "search.jsonl") as journal, pytest.raises(ValueError, match="JSON"):
        journal.write({"score": float("-inf")})


def test_one_search_at_a_time_writes_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "search.jsonl"
    with Journal(path), pytest.raises(InputError, match="another search is writing"):
        Journal(path)
    with Journal(path) as journal:
        journal.write({"n": 1})
    assert read_journal(path) == [{"n": 1}]
