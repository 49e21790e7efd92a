"""The page in a real browser: what a reviewer does with it, and that a rerun honours it.

Runs in any Chromium on the path; ``.ci/run`` installs one.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from study.decided import hashes_of, run, study

from scalptrack.cli.main import main
from scalptrack.pictures import PhotographPictures
from scalptrack.review.decision_file import DecisionFile, read_log
from scalptrack.review.folder import FolderPlace
from scalptrack.review.server import ReviewServer
from scalptrack.review.session import ReviewSession
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.reviewing import StudyPlace
from scalptrack.tables import CHANGE_COLUMNS
from scalptrack.translation import ENGLISH, LOCALE_FOLDER, available_languages, in_language
from tests.pseudo import LANGUAGE, outside, write_pseudo_language
from tests.review.results import NAMES, write_results

__all__ = ["study"]

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright isn't installed: pip install 'scalptrack[test]'"
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

pytestmark = [
    pytest.mark.skipif(
        BROWSER is None, reason=f"no browser found on the path (looked for {', '.join(BROWSERS)})"
    ),
]


@dataclass
class Opened:
    """The page in the browser, and what the browser complained of or asked for."""

    page: object
    origin: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def quiet(self) -> bool:
        assert self.complaints == []
        away = [url for url in self.requests if not url.startswith((self.origin, "data:"))]
        assert away == []
        return True


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    with sync_api.sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path=BROWSER, args=flags)
        yield browser
        browser.close()


@contextmanager
def _reviewing(
    chromium, out, *, size=DESKTOP, reviewer="Dr. Grey", language=ENGLISH, catalogues=LOCALE_FOLDER
) -> Iterator[Opened]:
    with in_language(language, folder=catalogues):
        place = FolderPlace(out) if isinstance(out, Path) else out
        served = ReviewServer(ReviewSession(place, reviewer=reviewer))
    with served as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        page = chromium.new_page(viewport=size)
        page.set_default_timeout(120_000)
        opened = Opened(page, server.url)
        page.on("console", lambda message: opened.complaints.append(message.text))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("request", lambda request: opened.requests.append(request.url))
        try:
            page.goto(server.url)
            page.wait_for_selector("nav li")
            yield opened
        finally:
            page.close()
            server.shutdown()
            thread.join()


def _card(page, sha256):
    return page.locator(f'article[data-sha256="{sha256}"]')


def _draw(page, corners) -> None:
    """Click at shares of the picture's width and height."""
    page.wait_for_selector("#editor svg image", state="attached")
    box = page.locator("#editor svg image").bounding_box()
    for x, y in corners:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_reviewer_gives_a_name_excludes_with_a_reason_and_undoes(chromium, tmp_path):
    out, _, hashes = write_results(tmp_path)
    with _reviewing(chromium, out, reviewer="") as opened:
        page = opened.page
        assert page.locator("nav li").all_inner_texts() == [
            "anna\nvertex\n2 to look at",
            "ben\nfrontal\nnothing open",
        ]
        page.get_by_role("link", name="anna").click()
        page.locator("#event-label").fill("half typed")
        card = _card(page, hashes[NAMES[2]])
        card.get_by_role("button", name="Exclude…").click()
        page.keyboard.type("another person")
        page.keyboard.press("Enter")
        page.get_by_label("Your name").fill("Dr. Grey")
        page.keyboard.press("Enter")
        card.get_by_text("Excluded: another person (Dr. Grey").wait_for()
        assert page.locator("#event-label").input_value() == "half typed"
        assert page.locator("#stale").is_visible()
        assert page.locator("#command").inner_text().startswith("scalptrack track ")
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Line 1 of the log was taken back.").wait_for()
        assert not page.locator("#stale").is_visible()
        assert opened.quiet()
    log = read_log(out / "decisions.jsonl")
    assert [(each.who, each.action) for each in log.entries] == [
        ("Dr. Grey", "decide"),
        ("Dr. Grey", "undo"),
    ]


def test_a_study_is_reviewed_on_the_same_page(chromium, study, monkeypatch):
    """Fake results, whose pictures are the photographs themselves."""
    hashes = hashes_of(study)

    def drawn(series, index, cache, settings):
        path = series.photographs[index].member.photograph.path
        picture = np.frombuffer(path.read_bytes(), np.uint8)
        return PhotographPictures(picture, picture, picture, picture)

    monkeypatch.setattr("scalptrack.study.reviewing.pictures_of", drawn)
    with _reviewing(chromium, StudyPlace(study)) as opened:
        page = opened.page
        page.get_by_role("link", name="s1").click()
        reference = _card(page, hashes["s1_2024-01-10_1.jpg"])
        shown = "img => img.decode().then(() => img.naturalWidth)"
        assert reference.locator("img").evaluate(shown) == 64
        card = _card(page, hashes["stranger.jpg"])
        card.get_by_role("button", name="Exclude…").click()
        page.keyboard.type("another person")
        page.keyboard.press("Enter")
        card.get_by_text("Excluded: another person (Dr. Grey").wait_for()
        assert page.locator("#command").inner_text() == f"scalptrack study run {study.folder}"
        run(study)
        page.reload()
        page.get_by_text("Excluded by Dr. Grey: another person").wait_for()
        assert not page.locator("#stale").is_visible()
        assert opened.quiet()
    (entry,) = StudyDecisions(study).read().entries
    assert (entry.who, entry.changes[0].target[1]) == ("Dr. Grey", hashes["stranger.jpg"])


def test_a_picture_that_takes_long_keeps_its_place_and_says_so(chromium, tmp_path):
    out, _, hashes = write_results(tmp_path)
    with _reviewing(chromium, out) as opened:
        page, held = opened.page, []

        def hold(route):  # A method of a list has no parameters that could be counted.
            held.append(route)

        page.route("**/picture/**", hold)
        page.get_by_role("link", name="anna").click()
        frame = _card(page, hashes[NAMES[0]]).locator(".frame")
        waiting = frame.get_by_text("The picture is being made…")
        waiting.wait_for()
        assert frame.bounding_box()["height"] >= 240
        for route in held:
            route.continue_()
        waiting.wait_for(state="detached")
        assert frame.locator("img").evaluate("img => img.naturalWidth") > 0
        assert "waiting" not in frame.get_attribute("class")
        assert opened.quiet()


def test_a_region_is_drawn_by_keyboard_in_pixels_of_the_photograph(chromium, tmp_path):
    out, _, hashes = write_results(tmp_path)
    with _reviewing(chromium, out) as opened:
        page = opened.page
        page.get_by_role("link", name="anna").click()
        _card(page, hashes[NAMES[0]]).get_by_role("button", name="Draw region…").click()
        page.wait_for_selector("#editor svg image", state="attached")
        save = page.get_by_role("button", name="Save")
        page.locator("#editor svg").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        for key in ("ArrowRight", "ArrowDown"):
            assert save.is_disabled()
            for _ in range(8):
                page.keyboard.press(key)
            page.keyboard.press("Enter")
        assert page.locator("#editor-status").inner_text() == "Region with 3 corners."
        page.locator(".spot").nth(2).focus()
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Delete")
        assert page.locator(".spot").count() == 2
        page.keyboard.press("Enter")
        save.click()
        _card(page, hashes[NAMES[0]]).get_by_text("Region drawn (Dr. Grey").wait_for()
        assert opened.quiet()
    decisions = read_log(out / "decisions.jsonl").decisions()
    (polygon,) = decisions["photo", hashes[NAMES[0]], "region"].value["polygons"]
    assert polygon[0] == pytest.approx([89.5, 59.5], abs=0.6)
    across, down = polygon[1][0] - polygon[0][0], polygon[2][1] - polygon[1][1]
    assert across == pytest.approx(down, abs=0.05)
    assert 5 < across < 90


def test_points_are_set_by_touch_on_a_phone(chromium, tmp_path):
    out, _, hashes = write_results(tmp_path)
    with _reviewing(chromium, out, size=PHONE) as opened:
        page = opened.page
        page.get_by_role("link", name="anna").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        card = _card(page, hashes[NAMES[2]])
        card.get_by_role("button", name="Set points…").click()
        images = page.locator("#editor svg image")
        images.nth(1).wait_for(state="attached")
        for corner in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)):
            for side in (0, 1):
                box = images.nth(side).bounding_box()
                x = box["x"] + corner[0] * box["width"]
                y = box["y"] + corner[1] * box["height"]
                for kind in ("pointerdown", "pointerup"):
                    page.locator("#editor svg").nth(side).dispatch_event(
                        kind, {"clientX": x, "clientY": y, "button": 0, "bubbles": True}
                    )
        assert page.locator("#editor-status").inner_text() == "4 of at least 4 pairs."
        page.get_by_role("button", name="Save").click()
        card.get_by_text("4 pairs of points set (Dr. Grey").wait_for()
        sizes = [each.bounding_box() for each in card.get_by_role("button").all()]
        assert min(min(each["width"], each["height"]) for each in sizes) >= 36
        assert opened.quiet()
    value = read_log(out / "decisions.jsonl").decisions()["photo", hashes[NAMES[2]], "points"].value
    assert value["reference"] == hashes[NAMES[0]]
    assert value["pairs"][0] == pytest.approx([35.5, 23.5, 35.5, 23.5], abs=1.5)
    assert value["pairs"][2] == pytest.approx([143.5, 95.5, 143.5, 95.5], abs=1.5)


def test_a_rerun_honours_an_exclusion_and_a_region(chromium, tracked, few_photographs, tmp_path):
    _, source = tracked
    out = tmp_path / "results"
    shutil.copytree(source, out)
    run = json.loads((out / ".scalptrack" / "run.json").read_text())
    assert run["photographs"] == str(few_photographs.resolve())
    measured = [row for row in _rows(out) if row["status"] == "measured"]
    reference, excluded, other = (row["sha256"] for row in measured)
    with _reviewing(chromium, out) as opened:
        page = opened.page
        page.get_by_role("link", name="subject-03").click()
        _card(page, excluded).get_by_role("button", name="Exclude…").click()
        page.keyboard.type("hair was wet")
        page.keyboard.press("Enter")
        _card(page, excluded).get_by_text("Excluded: hair was wet").wait_for()
        _card(page, reference).get_by_role("button", name="Draw region…").click()
        _draw(page, ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)))
        page.get_by_role("button", name="Save").click()
        _card(page, reference).get_by_text("Region drawn").wait_for()
        assert opened.quiet()
    arguments = ["track", str(few_photographs), "--out", str(out), "--jobs", "1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert "Note: decisions.jsonl: 3 decisions of a reviewer applied." in result.stderr
    rows = {row["sha256"]: row for row in _rows(out) if row["reason_code"] != "duplicate_of"}
    assert rows[excluded]["status"] == "refused"
    assert rows[excluded]["reason"] == "Excluded by Dr. Grey: hair was wet"
    assert rows[excluded]["coverage_percent"] == ""
    before = {row["sha256"]: row for row in measured}
    for each in (reference, other):
        assert rows[each]["status"] == "measured"
        assert 0 < int(rows[each]["region_px"]) < 0.6 * int(before[each]["region_px"])
    record = json.loads((out / "provenance.json").read_text())
    assert record["references"][0]["reason"]["code"] == "set"
    assert record["decisions"]["log_sha256"] == read_log(out / "decisions.jsonl").head
    assert [each["what"] for each in record["decisions"]["applied"]].count("region") == 1
    assert "region that Dr. Grey drew on" in (out / "report.html").read_text("utf-8")
    state = ReviewSession(FolderPlace(out)).document()
    assert state["stale"] is False
    undecided = tmp_path / "undecided"
    shutil.copytree(out, undecided)
    arguments[3] = str(undecided)
    assert CliRunner().invoke(main, [*arguments, "--no-decisions"]).exit_code == 1
    again = {row["sha256"]: row for row in _rows(undecided) if row["status"] == "measured"}
    assert again == before


def _rows(out) -> list[dict[str, str]]:
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SAID = """() => {
    const said = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        if (!walker.currentNode.parentElement.closest("script, style, noscript, code")) {
            said.push(walker.currentNode.data);
        }
    }
    for (const each of document.querySelectorAll("*")) {
        for (const name of ["aria-label", "title", "alt", "placeholder"]) {
            if (each.hasAttribute(name)) said.push(each.getAttribute(name));
        }
    }
    return said;
}"""
"""What a page with scripts shows and what is read aloud, also what is hidden now; no command."""

CUT_OFF = """() => [...document.querySelectorAll("button, h1, h2, label, .tag, .count, dialog")]
    .filter((each) => each.offsetParent && each.scrollWidth > each.clientWidth + 1)
    .map((each) => each.textContent)"""
"""Texts of what is seen and has not enough room for them."""

GIVEN = re.compile(
    r"(anna|ben)/\S+\.jpg|\b(anna|ben|vertex|frontal|results|Dr\. Grey)\b|"
    r"\b(wet hair|by word|drops|said by the run)\b"
)
"""Names of people, views, folders and files, and what was typed."""


def _english(said: list[str]) -> list[str]:
    """Words of a page in the made-up language that no catalogue gave."""
    return [each for each in said if re.search(r"[^\W\d_]{2,}", GIVEN.sub(" ", outside([each])))]


def _with_changes_and_findings(out, hashes) -> None:
    """Add what `track` would say of a blurred photograph and of its change."""
    change = dict.fromkeys(CHANGE_COLUMNS, "") | {
        "subject": "anna",
        "view": "vertex",
        "visit_date": "2026-04-12",
        "verdict": "no detectable change",
        "sentence": "(said by the run)",
    }
    with (out / "changes.csv").open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, CHANGE_COLUMNS).writerow(change)
    path = out / ".scalptrack" / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    advice = "Hold the phone still, tap on the scalp to focus, and retake."
    finding = {"code": "blurred", "severity": "warning", "advice": advice}
    run["findings"] = {hashes[NAMES[1]]: [finding]}
    path.write_text(json.dumps(run), encoding="utf-8")


def _decide_everything(page, hashes, look=lambda: None) -> None:
    """Decide all that can be decided, by what is the same in each language; look at each step."""
    first, second, third = (hashes[name][:12] for name in NAMES[:3])
    page.locator('a[href="#/series/0"]').click()
    page.locator(f"#exclude-{second}").click()
    look()
    page.keyboard.type("wet hair")
    page.keyboard.press("Enter")
    page.locator(f"#clear-{second}").wait_for()
    look()
    page.locator(f"#accept-{third}").click()
    page.locator(f"#clear-{third}").wait_for()
    page.locator(f"#note-{third}").click()
    look()
    page.keyboard.type("by word")
    page.keyboard.press("Enter")
    page.locator(f"#note-text-{third}").wait_for(state="detached")
    page.locator("#event-date").fill("2026-02-01")
    page.locator("#event-label").fill("drops")
    page.locator("#event-add").click()
    page.locator("#event-remove-0").wait_for()
    look()
    page.locator(f"#region-{first}").click()
    look()
    _draw(page, ((0.2, 0.2), (0.7, 0.2)))
    look()
    _draw(page, ((0.7, 0.7),))
    page.locator("#editor-area").click()
    _draw(page, ((0.1, 0.8),))
    look()
    page.locator("#editor-delete").click()
    page.locator("#editor-save").click()
    page.locator(f"#unset-{first}").wait_for()
    look()
    page.locator(f"#points-{third}").click()
    page.locator("#editor svg image").nth(1).wait_for(state="attached")
    corners = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
    for corner in corners:
        for side in (0, 1):
            box = page.locator("#editor svg image").nth(side).bounding_box()
            x = box["x"] + corner[0] * box["width"]
            page.mouse.click(x, box["y"] + corner[1] * box["height"])
            look()
    page.locator("#editor-save").click()
    page.locator("#editor").wait_for(state="hidden")
    look()
    page.locator("#undo").click()
    page.locator(f'[data-sha256^="{third}"] .decided p').nth(2).wait_for(state="detached")
    page.locator("#home").click()
    page.locator("#back-1").click()
    page.locator("#back-1").wait_for(state="detached")
    look()


def test_no_english_is_left_on_the_page(chromium, tmp_path):
    catalogues = write_pseudo_language(tmp_path / "locale")
    out, _, hashes = write_results(tmp_path)
    _with_changes_and_findings(out, hashes)
    said: set[str] = set()
    with _reviewing(chromium, out, reviewer="", language=LANGUAGE, catalogues=catalogues) as opened:
        page = opened.page
        assert page.locator("html").get_attribute("lang") == LANGUAGE

        def look() -> None:
            said.update(page.evaluate(SAID))

        look()
        page.locator("#who").click()
        look()
        page.keyboard.type("Dr. Grey")
        page.keyboard.press("Enter")
        _decide_everything(page, hashes, look)
        page.locator('a[href="#/series/0"]').click()
        look()
        page.locator("#show-open").click()
        look()
        page.locator('a[href="#/series/1"]').first.click()
        look()
        assert opened.quiet()
    assert len(said) > 150
    # What is filled in is from the catalogue, too.
    nested = {
        "⟦blurred⟧: ",
        "⟦⟦Overlay⟧ of ⟦10 ⟦Jan⟧ 2026⟧⟧",
        "⟦⟦2 corners⟧: each area needs at least 3.⟧",
        "⟦Zoom in: ⟦Reference⟧⟧",
        f"⟦Takes back: Dr. Grey, ⟦{NAMES[1]}: excluded (wet hair)⟧⟧",
        f"⟦line 6 taken back: ⟦points removed: {NAMES[2]}⟧⟧",
    }
    assert nested - said == set()
    assert any(re.fullmatch(r"⟦⟦Corner 2 of area 1⟧, at \d+, \d+⟧", each) for each in said)
    assert not [each for each in said if "undefined" in each]
    assert _english(sorted(said)) == []


@pytest.mark.parametrize("language", sorted(set(available_languages()) - {ENGLISH}))
def test_what_is_decided_is_stored_as_on_the_english_page(chromium, language, tmp_path):
    contents = {}
    for each in (ENGLISH, language):
        out, _, hashes = write_results(tmp_path / each)
        place = FolderPlace(out)
        place.store = DecisionFile(
            out / "decisions.jsonl", now=lambda: datetime(2026, 8, 1, tzinfo=UTC)
        )
        with _reviewing(chromium, place, language=each) as opened:
            _decide_everything(opened.page, hashes)
            assert opened.page.locator("html").get_attribute("lang") == each
            assert opened.quiet()
        contents[each] = (out / "decisions.jsonl").read_bytes()
    whats = {what for *_, what in read_log(out / "decisions.jsonl").decisions()}
    assert whats >= {"verdict", "note", "events", "region", "reference"}
    assert contents[language] == contents[ENGLISH]


@pytest.mark.parametrize("language", available_languages())
def test_nothing_is_wider_than_a_phone(chromium, language, tmp_path):
    """Long words, and the tables of changes and of the log, which are moved on their own."""
    out, _, hashes = write_results(tmp_path)
    _with_changes_and_findings(out, hashes)
    widths: list[int] = []
    cut_off: set[str] = set()
    with _reviewing(chromium, out, size=PHONE, language=language) as opened:
        page = opened.page

        def look() -> None:
            widths.append(page.evaluate("document.documentElement.scrollWidth"))
            cut_off.update(page.evaluate(CUT_OFF))

        _decide_everything(page, hashes, look)
        assert opened.quiet()
    assert max(widths) == PHONE["width"]
    assert cut_off == set()
