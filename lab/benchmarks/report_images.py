"""Pictures of the report for the documentation, at the width of a phone and of a desktop.

Run: ``python -m lab.benchmarks.report_images RESULTS [--view "subject-01 · vertex"]`` where RESULTS
is what ``scalptrack track sample_images --out RESULTS --forehead top`` wrote. Writes
``docs/images/report-390.png``, ``docs/images/report-1440.png`` and ``docs/images/timeline.png``.
Needs playwright and a Chromium on the path; fails when the page complains on its console or asks
the network for anything.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path("docs/images")
WIDTHS = {390: 1500, 1440: 1150}
"""Width of the window, and how much of the section is shown, in CSS pixels."""


def photograph(results: Path, view: str) -> None:
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        raise SystemExit("No chromium or google-chrome on the path.")
    complaints: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for width, height in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("console", lambda message: complaints.append(message.text))
            page.on("request", lambda request: complaints.append(request.url))
            page.goto((results / "report.html").resolve().as_uri())
            section = page.locator("article", has=page.locator("h2", has_text=view)).first
            section.locator(".visit-mark").last.hover()
            box = section.bounding_box()
            top = box["y"] + page.evaluate("window.scrollY")
            clip = {"x": 0, "y": top - 12, "width": width, "height": height}
            page.screenshot(path=IMAGES / f"report-{width}.png", clip=clip, full_page=True)
        browser.close()
    outside = [each for each in complaints if not each.startswith(("file:", "data:"))]
    if outside:
        raise SystemExit("\n".join(outside))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--view", default="subject-01 · vertex")
    options = parser.parse_args()
    photograph(options.results, options.view)
    subject, _, view = options.view.partition(" · ")
    shutil.copyfile(options.results / subject / view / "timeline.png", IMAGES / "timeline.png")


if __name__ == "__main__":
    main()
