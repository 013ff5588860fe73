"""The page as a parser reads it: whole, labelled, self-contained, and deaf to what names and labels say."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.toolchain.reporting.conftest import LABELS, NAME, quiet
from toolchain.errors import InputError
from toolchain.reporting.page import comparison_page, page, write_page
from toolchain.reporting.report import compare, report
from toolchain.runs import RunFolder

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Parsed(HTMLParser):
    """Elements with their attributes and texts, and whether every one that was opened was closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def text(deployed: RunFolder) -> str:
    return page(report(deployed, progress=quiet))


@pytest.fixture(scope="module")
def parsed(text: str) -> Parsed:
    return Parsed(text)


@pytest.fixture(scope="module")
def side_by_side(deployed: RunFolder, numbers: RunFolder, float_run: RunFolder) -> Parsed:
    return Parsed(comparison_page(compare([deployed, numbers, float_run], samples=20, progress=quiet)))


def check_references(parsed: Parsed) -> None:
    ids = parsed.attributes("id")
    assert [each for each, count in Counter(ids).items() if count > 1] == []
    wanted = [href[1:] for href in parsed.attributes("href")]
    wanted += parsed.attributes("for") + parsed.attributes("aria-labelledby")
    assert set(wanted) <= set(ids)


def check_self_contained(parsed: Parsed) -> None:
    assert all(href.startswith("#") for href in parsed.attributes("href"))
    assert all(source.startswith("data:image/png;base64,") for source in parsed.attributes("src"))
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in parsed.elements}
    assert [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")] == []
    assert parsed.attributes("style") == []  # the policy would not let them work
    assert len(parsed.all("script")) == 1 and len(parsed.all("style")) == 1


def test_references_lead_somewhere(parsed: Parsed, side_by_side: Parsed) -> None:
    check_references(parsed)
    check_references(side_by_side)


def test_nothing_is_loaded_from_elsewhere(parsed: Parsed, side_by_side: Parsed) -> None:
    check_self_contained(parsed)
    check_self_contained(side_by_side)


def test_the_policy_names_exactly_our_style_and_script(parsed: Parsed) -> None:
    (policy,) = [m["content"] for m in parsed.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag in ("style", "script"):
        digest = hashlib.sha256("".join(parsed.texts[tag]).encode()).digest()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    assert "unsafe" not in policy


def test_names_and_labels_are_text(parsed: Parsed, text: str) -> None:
    shown = [part for parts in parsed.texts.values() for part in parts]
    assert NAME in parsed.texts["h1"] and f"{NAME}: stm32f405" in parsed.texts["title"]
    assert all(any(label in part for part in shown) for label in LABELS)
    assert "<script>alert" not in text and "<img src=x" not in text


def test_evidence_is_visible(parsed: Parsed) -> None:
    labels = {word for part in parsed.texts["span"] for word in [part.strip()]}
    assert labels >= {"measured", "emulated", "estimated"}


def test_tables_have_captions_and_headings(parsed: Parsed) -> None:
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert {each.get("scope") for each in parsed.all("th")} == {"col", "row"}


def test_points_are_links_with_names_and_one_plot_is_chosen(parsed: Parsed) -> None:
    points = [each for each in parsed.all("a") if each.get("class", "").startswith("point")]
    plots = [each for each in parsed.all("div") if each.get("class") == "plot"]
    rows = [each for each in parsed.all("tr") if each.get("id", "").startswith("candidate-")]
    assert len(points) == len(plots) * len(rows) > 0
    assert all("accuracy" in each["aria-label"] or "%" in each["aria-label"] for each in points)
    radios = [each for each in parsed.all("input") if each.get("type") == "radio"]
    assert len(radios) == len(plots) >= 4 and ["checked" in each for each in radios].count(True) == 1
    assert len(parsed.all("label")) == len(radios)


def test_pictures_and_drawings_have_words(parsed: Parsed) -> None:
    assert all(each.get("alt") for each in parsed.all("img"))
    drawings = parsed.all("svg")
    assert drawings and all(each.get("aria-hidden") == "true" or each.get("aria-label") for each in drawings)


@pytest.mark.parametrize("state", ["exported", "trained", "searched", "searching"])
def test_every_state_has_a_page(in_state: Callable[[str], RunFolder], state: str) -> None:
    run = in_state(state)
    found = Parsed(page(report(run, samples=10, progress=quiet)))
    check_references(found)
    check_self_contained(found)
    assert any(str(run.path) in part for part in found.texts["code"])


def test_runs_of_other_kinds_have_pages(numbers: RunFolder, float_run: RunFolder) -> None:
    for run in (numbers, float_run):
        found = Parsed(page(report(run, progress=quiet)))
        check_references(found)
        check_self_contained(found)


def test_runs_stand_side_by_side(side_by_side: Parsed) -> None:
    heads = [part.strip() for part in side_by_side.texts["th"]]
    assert {f"1. {NAME}", "2. run", "3. run"} <= set(heads)


def test_only_pages_are_overwritten(tmp_path: Path, text: str) -> None:
    target = tmp_path / "page.html"
    write_page(target, text)
    write_page(target, text)
    for name, content in (("notes.html", "<p>mine</p>"), ("empty.html", "")):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="is no report"):
            write_page(tmp_path / name, text)
        assert (tmp_path / name).read_text() == content
    with pytest.raises(InputError, match="is a folder"):
        write_page(tmp_path, text)
