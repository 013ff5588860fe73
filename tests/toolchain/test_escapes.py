from __future__ import annotations

from toolchain.escapes import visible


def test_what_cannot_be_printed_becomes_its_escape() -> None:
    assert visible("a\x1b[31m\u202e\n\ud800\u00e9") == "a\\x1b[31m\\u202e\\n\\ud800\u00e9"
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"
