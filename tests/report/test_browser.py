"""The report in a real browser: what a reader does with it, and that it asks the network nothing.

Runs in any Chromium on the path; ``.ci/run`` installs one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.report.made_up import write_report

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright isn't installed: pip install 'scalptrack[test]'"
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

pytestmark = [
    pytest.mark.skipif(
        BROWSER is None, reason=f"no browser found on the path (looked for {', '.join(NAMES)})"
    ),
]


@dataclass
class Opened:
    """The report in the browser, and what the browser complained of or asked for."""

    page: object
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def quiet(self) -> bool:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file:", "data:"))] == []
        return True


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    with sync_api.sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path=BROWSER, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report"))


def _open(chromium, report, size: dict[str, int]) -> Opened:
    page = chromium.new_page(viewport=size)
    page.set_default_timeout(120_000)
    opened = Opened(page)
    page.on("console", lambda message: opened.complaints.append(message.text))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(report.as_uri())
    return opened


@pytest.fixture(scope="module")
def desktop(chromium, report) -> Opened:
    return _open(chromium, report, DESKTOP)


@pytest.fixture(scope="module")
def phone(chromium, report) -> Opened:
    return _open(chromium, report, PHONE)


def _marks(page) -> list[str]:
    """What a screen reader says of each mark of the first chart, in order."""
    return page.eval_on_selector_all(
        "#timeline-1 .visit-mark", "all => all.map(each => each.getAttribute('aria-label'))"
    )


def test_the_slider_moves_by_keyboard_and_says_where_it_is(desktop):
    slider = desktop.page.locator("#timeline-1 .slider").first
    ruler = slider.locator("input[type=range]")
    ruler.focus()
    for _ in range(3):
        desktop.page.keyboard.press("ArrowRight")
    assert ruler.input_value() == "53"
    assert ruler.get_attribute("aria-valuetext") == "53 % reference"
    assert slider.evaluate("each => each.style.getPropertyValue('--at')") == "53%"
    assert desktop.quiet()


def test_the_slider_follows_the_mouse(desktop):
    stage = desktop.page.locator("#timeline-1 .slider .stage").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    desktop.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    desktop.page.mouse.down()
    desktop.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    desktop.page.mouse.up()
    value = int(desktop.page.locator("#timeline-1 .slider input").first.input_value())
    assert 19 <= value <= 21
    assert desktop.quiet()


def test_a_zone_is_switched_off_and_on(desktop):
    page = desktop.page
    before = _marks(page)
    # Five visits of the region and of two zones, and one photograph without a number.
    assert len(before) == 16
    box = page.locator("#timeline-1 .live").get_by_role("checkbox", name="vertex zone")
    box.uncheck()
    left = _marks(page)
    assert [mark for mark in before if "vertex zone" not in mark] == left
    assert len(left) == 11
    box.check()
    assert _marks(page) == before
    assert desktop.quiet()


def test_zooming_leaves_fewer_visits_and_the_whole_time_brings_them_back(desktop):
    page = desktop.page
    chart = page.locator("#timeline-1 .live")
    before = _marks(page)
    chart.get_by_role("button", name="Zoom in").click()
    chart.get_by_role("button", name="Zoom in").click()
    chart.get_by_role("button", name="Later").click()
    zoomed = _marks(page)
    assert 0 < len(zoomed) < len(before)
    assert set(zoomed) < set(before)
    chart.get_by_role("button", name="Show the whole time").click()
    assert _marks(page) == before
    assert chart.get_by_role("button", name="Show the whole time").is_disabled()
    assert desktop.quiet()


def test_a_visit_says_its_numbers_to_the_mouse_and_to_the_keyboard(desktop):
    page = desktop.page
    tip = page.locator("#timeline-1 .live .tip")
    marks = page.locator("#timeline-1 .visit-mark")
    marks.first.focus()
    assert tip.inner_text().startswith("10 January 2024, whole compared region\n30.6 % (95 %")
    page.keyboard.press("ArrowRight")
    assert tip.inner_text().startswith("10 January 2024, vertex zone\n20.6 %")
    marks.last.hover()
    assert "8 January 2025, occipital zone" in tip.inner_text()
    assert "increase" in tip.inner_text()
    assert desktop.quiet()


def test_a_photograph_without_a_number_says_why(desktop):
    (gap,) = [mark for mark in _marks(desktop.page) if "no number" in mark]
    assert gap == "19 May 2024: no number. Blurred: 1.2 px measured, the limit is 3 px"


def test_a_phone_shows_everything_without_scrolling_sideways(phone):
    page = phone.page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert len(_marks(page)) == 16
    button = page.locator("#timeline-1 .zoom button").first.bounding_box()
    assert min(button["width"], button["height"]) >= 36
    assert phone.quiet()


def test_paper_gets_the_still_chart_and_no_buttons(desktop):
    page = desktop.page
    still, live = page.locator("#timeline-1 .still"), page.locator("#timeline-1 .live")
    assert (still.is_visible(), live.is_visible()) == (False, True)
    page.emulate_media(media="print")
    assert (still.is_visible(), live.is_visible()) == (True, False)
    page.emulate_media(media="screen")
    assert desktop.quiet()
