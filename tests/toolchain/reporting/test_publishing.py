"""A page that is there is drawn again when what it shows has changed, and never left to tell what was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.toolchain.reporting.conftest import quiet
from toolchain.errors import InputError
from toolchain.reporting import publishing
from toolchain.reporting.publishing import publish, redraw
from toolchain.runs import RunFolder
from toolchain.verification.verdict import Failure, read_verdict


def fail(run: RunFolder) -> None:
    replace(read_verdict(run.report), failures=(Failure("over_budget", "too large"),)).write(run.report)


def test_a_page_is_drawn_from_the_verdict_of_now(copied: RunFolder) -> None:
    publish(copied, samples=5, progress=quiet)
    assert "too large" not in copied.page.read_text()
    fail(copied)
    told: list[str] = []
    redraw(copied, samples=5, progress=told.append)
    assert "too large" in copied.page.read_text()
    assert told[-1] == f"drew {copied.page} again"


def test_what_cannot_be_drawn_again_is_removed_and_told(copied: RunFolder) -> None:
    publish(copied, samples=5, progress=quiet)
    copied.search.write_text("[]")
    told: list[str] = []
    redraw(copied, samples=5, progress=told.append)
    assert not copied.page.exists()
    assert "cannot be drawn again" in told[-1] and "search.json" in told[-1]


def test_an_interruption_leaves_no_page_of_what_was(
    copied: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(copied, samples=5, progress=quiet)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "report", interrupted)
    with pytest.raises(KeyboardInterrupt):
        redraw(copied, progress=quiet)
    assert not copied.page.exists()


def test_a_file_that_is_no_page_of_ours_stays(copied: RunFolder) -> None:
    copied.page.write_text("<p>mine</p>")
    redraw(copied, samples=5, progress=quiet)
    assert copied.page.read_text() == "<p>mine</p>"


def test_a_page_goes_where_it_is_wanted(copied: RunFolder, tmp_path: Path) -> None:
    before = copied.page.read_bytes()
    _, path = publish(copied, out=tmp_path / "mine.html", samples=5, progress=quiet)
    assert path.is_file() and copied.page.read_bytes() == before
    with pytest.raises(InputError, match="is no report"):
        publish(copied, out=copied.settings_file, progress=quiet)
