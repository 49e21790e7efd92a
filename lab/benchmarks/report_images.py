"""Pictures of the report and its charts for the documentation, as wide as a phone and a desktop.

Run: ``python -m lab.benchmarks.report_images RESULTS [--view "subject-01 · vertex"]`` where RESULTS
is what ``scalptrack track sample_images --out RESULTS --forehead top`` wrote. Writes
``docs/images/PART-390.png`` and ``docs/images/PART-1440.png`` for each part of the report, and the
charts that lie beside it. Needs playwright and a Chromium on the path; fails when the page
complains on its console or asks the network for anything.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

IMAGES = Path("docs/images")
HEIGHTS = {390: 1500, 1440: 1150}
"""Width of the window, and how much of the section is shown, in CSS pixels."""

MARGIN_PX = 12
CHARTS = ("timeline.png", "zones.png")

SLIDER_PERCENT = "35"


def overview(page: Page, _section: Locator) -> Locator:
    """What was found in the folder, and the latest verdicts."""
    return page.locator("section", has=page.locator("#overview"))


def report(_page: Page, section: Locator) -> Locator:
    """The beginning of a section, with a visit of the chart pointed at."""
    section.locator(".visit-mark").last.hover()
    return section


def zones(_page: Page, section: Locator) -> Locator:
    """The interactive chart with the first zone switched off."""
    boxes = section.locator(".live").get_by_role("checkbox")
    if boxes.count() > 1:
        boxes.nth(1).uncheck()
    section.locator(".visit-mark").first.hover()
    return section.locator(".live")


def compare(_page: Page, section: Locator) -> Locator:
    """Before and after, what was counted, and where the picture changed."""
    row = section.locator(".pictures").first
    row.scroll_into_view_if_needed()
    row.locator("input[type=range]").fill(SLIDER_PERCENT)
    return row


PARTS: dict[str, Callable[[Page, Locator], Locator]] = {
    "overview": overview,
    "report": report,
    "zones-live": zones,
    "compare": compare,
}


def photograph(results: Path, view: str) -> None:
    """Open the report at each width and take a picture of each part."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        raise SystemExit("No chromium or google-chrome on the path.")
    complaints: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for width, height in HEIGHTS.items():
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("console", lambda message: complaints.append(message.text))
            page.on("request", lambda request: complaints.append(request.url))
            page.goto((results / "report.html").resolve().as_uri())
            section = page.locator("article", has=page.locator("h2", has_text=view)).first
            for name, shown in PARTS.items():
                part = shown(page, section)
                page.wait_for_load_state("networkidle")
                box = part.bounding_box()
                top = box["y"] + page.evaluate("window.scrollY") - MARGIN_PX
                tall = min(box["height"] + 2 * MARGIN_PX, height)
                clip = {"x": 0, "y": top, "width": width, "height": tall}
                page.screenshot(path=IMAGES / f"{name}-{width}.png", clip=clip, full_page=True)
        browser.close()
    outside = [each for each in complaints if not each.startswith(("file:", "data:"))]
    if outside:
        raise SystemExit("\n".join(outside))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--view", default="subject-01 · vertex")
    options = parser.parse_args()
    photograph(options.results, options.view)
    subject, _, view = options.view.partition(" · ")
    for chart in CHARTS:
        shutil.copyfile(options.results / subject / view / chart, IMAGES / chart)


if __name__ == "__main__":
    main()
