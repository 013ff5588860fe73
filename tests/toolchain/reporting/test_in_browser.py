"""The page in a real browser: silent, deaf to what a run says, used by hand and by keyboard, legible light and dark."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser
from tests.toolchain.reporting.conftest import quiet
from toolchain.reporting.document import Report
from toolchain.reporting.page import comparison_page, page
from toolchain.reporting.report import compare, report
from toolchain.runs import RunFolder

LEAST_CONTRAST = 4.5
"""Of text against its ground (WCAG 2, level AA)."""

# Texts with too little contrast: the colour of each element against the first ground behind it that covers, with what
# lets through laid over it.
FAINT = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(each).backgroundColor);
      if (a > 0) layers.push([r, g, b, a]);
      if (a === 1) break;
    }
    return layers.reverse().reduce((under, [r, g, b, a]) =>
      [r, g, b].map((v, i) => v * a + under[i] * (1 - a)), [255, 255, 255]);
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    if (["SCRIPT", "STYLE", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const colour = parse(element instanceof SVGElement ? style.fill : style.color);
    const [one, other] = [light(colour), light(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < LEAST) found.push(`${element.tagName} ${element.textContent.trim().slice(0, 30)} ${contrast}`);
  }
  return found;
})()""".replace("LEAST", str(LEAST_CONTRAST))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        reason = "chromium is not installed; sudo apt-get install --no-install-recommends chromium"
        pytest.fail(reason) if os.environ.get("SPIKENAS_CI") == "1" else pytest.skip(reason)
    with Browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(deployed: RunFolder) -> Report:
    return report(deployed, progress=quiet)


@pytest.fixture(scope="module")
def whole(made: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "report.html"
    path.write_text(page(made))
    return path


@pytest.fixture(scope="module")
def pages(whole: Path, deployed: RunFolder, numbers: RunFolder, float_run: RunFolder) -> dict[str, Path]:
    """A page of every kind."""
    found = {"deployed": whole}
    texts = {
        "numbers": page(report(numbers, progress=quiet)),
        "float": page(report(float_run, progress=quiet)),
        "comparison": comparison_page(compare([deployed, numbers, deployed], samples=20, progress=quiet)),
    }
    for name, text in texts.items():
        found[name] = whole.with_name(f"{name}.html")
        found[name].write_text(text)
    return found


@pytest.fixture
def opened(browser: Browser, whole: Path) -> Browser:
    browser.appear()
    browser.open(whole)
    return browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["deployed", "numbers", "float", "comparison"])
def test_silent_alone_and_legible(browser: Browser, pages: dict[str, Path], kind: str, scheme: str) -> None:
    browser.appear(scheme=scheme)
    browser.open(pages[kind])
    assert browser.evaluate(FAINT) == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.appear(scheme=scheme, width=360, height=700)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.messages == []
    assert [url for url in browser.requests if not url.startswith("data:image/png")] == [
        pages[kind].resolve().as_uri()
    ]


def test_dark_is_dark_and_paper_is_white(opened: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    opened.appear(scheme="dark")
    assert max(map(int, opened.evaluate(f"{ground}.match(/\\d+/g)"))) < 64
    opened.appear(scheme="dark", media="print")
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    assert opened.evaluate(FAINT) == []
    pdf = base64.b64decode(opened.call("Page.printToPDF")["data"])
    assert pdf.startswith(b"%PDF-") and len(pdf) > 20_000


def shown(browser: Browser) -> Any:
    return browser.evaluate("document.getElementById('candidate-detail').innerText")


def test_a_click_on_a_point_shows_its_network(opened: Browser, made: Report) -> None:
    assert made.search is not None
    assert "Choose a point" in shown(opened)
    for index, each in enumerate(made.search.candidates):
        if each.chosen or index == 0:
            opened.click(f"#plot-0 a[href='#candidate-{index}'] .area")
            assert each.id in shown(opened) and each.architecture in shown(opened)
            assert opened.evaluate("[...document.querySelectorAll('tr.selected')].map((r) => r.id)") == [
                f"candidate-{index}"
            ]
    assert opened.messages == []


def test_points_are_reached_and_chosen_by_keyboard(opened: Browser, made: Report) -> None:
    assert made.search is not None
    focused = "document.activeElement.getAttribute('href')"
    for _ in range(60):
        opened.press("Tab")
        if (opened.evaluate(focused) or "").startswith("#candidate-"):
            break
    first = opened.evaluate(focused)
    opened.press("Enter")
    chosen = made.search.candidates[int(first.rpartition("-")[2])]
    assert chosen.id in shown(opened)
    opened.evaluate(
        "[...document.querySelectorAll('#plot-0 a.point')].sort((a, b) => a.dataset.x - b.dataset.x)[0].focus()"
    )
    places = []
    for _ in made.search.candidates:
        places.append(float(opened.evaluate("document.activeElement.dataset.x")))
        opened.press("ArrowRight")
    assert places == sorted(places) and len(set(places)) > 1
    assert opened.messages == []


def test_another_axis_is_chosen(opened: Browser) -> None:
    visible = "[...document.querySelectorAll('.plot')].filter((p) => p.checkVisibility()).map((p) => p.id)"
    assert opened.evaluate(visible) == ["plot-0"]
    opened.click("label[for='axis-2']")
    assert opened.evaluate(visible) == ["plot-2"]
    opened.click("#plot-2 a.point .area")
    assert "Choose a point" not in shown(opened)


def test_without_script_a_point_leads_to_its_row(browser: Browser, whole: Path) -> None:
    browser.appear()
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(whole)
        assert browser.evaluate("document.getElementById('candidate-detail').hidden")
        browser.click("label[for='axis-1']")
        browser.click("#plot-1 a.point .area")
        target = "document.querySelector('tr:target') && document.querySelector('tr:target').id"
        assert browser.evaluate(target).startswith("candidate-")
        assert browser.messages == []
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_a_script_in_the_page_that_is_not_ours_does_not_run(
    browser: Browser, whole: Path, tmp_path: Path
) -> None:
    """Had escaping failed, the policy would still stop it."""
    hostile = whole.read_text().replace(
        "<main", "<script>window.hit = 1</script><img src=x onerror='hit=2'><main"
    )
    path = tmp_path / "hostile.html"
    path.write_text(hostile)
    browser.open(path)
    assert browser.evaluate("window.hit === undefined")
    assert any("Content Security Policy" in message for message in browser.messages)


@pytest.fixture
def in_any_state(in_state: Callable[[str], RunFolder], tmp_path: Path) -> Callable[[str], Path]:
    def write(state: str) -> Path:
        path = tmp_path / f"{state}.html"
        path.write_text(page(report(in_state(state), samples=10, progress=quiet)))
        return path

    return write


@pytest.mark.parametrize("state", ["searching", "searched", "trained"])
def test_pages_of_unfinished_runs_are_silent(
    browser: Browser, in_any_state: Callable[[str], Path], state: str
) -> None:
    browser.appear(scheme="dark")
    browser.open(in_any_state(state))
    assert browser.messages == [] and browser.evaluate(FAINT) == []
