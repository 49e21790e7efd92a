"""The camera's page in other languages: what it says, and what it is told to say."""

from __future__ import annotations

import html
import json
import re
import threading
from dataclasses import replace
from datetime import date
from importlib import resources
from urllib.request import urlopen

import pytest

from scalptrack.against import MAX_ROLL_DEG, MAX_TURN_DEG
from scalptrack.capture import coaching
from scalptrack.capture.coaching import Placed, finding_hints, placement_hints, pose_hints
from scalptrack.capture.filing import Filing
from scalptrack.capture.page import capture_routes
from scalptrack.capture.reference import CaptureReference
from scalptrack.capture.session import CaptureSession
from scalptrack.capture.words import page_words
from scalptrack.records import Finding, Severity
from scalptrack.serving import LocalServer
from scalptrack.translation import in_language
from tests.capture.test_coaching import VIEWS
from tests.pseudo import LANGUAGE, OPEN, outside, write_pseudo_language
from tests.test_against import SAME, judged

WORD = re.compile(r"[^\W\d_]{2,}")
GIVEN = {"anna", "vertex", "jpg", "px"}
SCRIPT = resources.files("scalptrack.capture").joinpath("template/page.js").read_text("utf-8")


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


def _english(pieces) -> set[str]:
    return set(WORD.findall(outside(pieces))) - GIVEN


def _page(tmp_path, reference: CaptureReference | None) -> str:
    filing = Filing(tmp_path, "anna", "vertex", date(2026, 4, 12))
    session = CaptureSession(filing, None, wanted=2, max_megapixels=50.0)
    missing = None if reference else ""
    routes = capture_routes(session, reference, no_reference=missing)
    return routes["GET", ""].answer(None).content.decode("utf-8")


def _shown(page: str) -> list[str]:
    """Everything of a page that is read, or read aloud, without the words of its script."""
    said = re.findall(r'(?:alt|aria-label)="([^"]*)"', page)
    body = re.sub(r"<[^>]*>", "\n", re.sub(r"(?s)<(style|script).*?</\1>", "", page))
    return [html.unescape(each) for each in (*said, *body.splitlines()) if each.strip()]


@pytest.mark.parametrize("with_reference", [True, False])
def test_all_that_the_page_shows_is_in_the_catalogue(with_reference, pseudo, tmp_path):
    reference = CaptureReference("anna/vertex/1.jpg", date(2026, 1, 10), None, None, b"")
    with in_language(LANGUAGE, folder=pseudo):
        page = _page(tmp_path, reference if with_reference else None)
    assert f'<html lang="{LANGUAGE}">' in page
    shown = _shown(page)
    assert len(shown) > 20
    assert _english(shown) == set()


def test_the_script_has_no_words_of_its_own_and_knows_all_that_it_says(pseudo, tmp_path):
    with in_language(LANGUAGE, folder=pseudo):
        page = _page(tmp_path, None)
        words = page_words()
    given = json.loads(html.unescape(re.search(r'data-words="([^"]*)"', page)[1]))
    assert given == words
    assert _english(re.sub(r"\{\w+\}", "", each) for each in words.values()) == set()
    calls = re.findall(r"word\(([^)]*)\)", SCRIPT)
    assert set(words) <= {name for each in calls for name in re.findall(r'"(\w+)"', each)}
    assert set(re.findall(r'word\("(\w+)"', SCRIPT)) <= set(words)
    sentences = re.findall(r'"[A-Z][a-z]+ [^"]*"|`[A-Z][a-z]+ [^`]*`', SCRIPT)
    assert sentences == []


def test_advice_of_the_camera_is_in_the_catalogue(pseudo):
    far, near = Placed(500, 500, 100, 1000, 1000), Placed(500, 500, 990, 1000, 1000)
    corners = [Placed(x, y, 500, 1000, 1000) for x, y in ((100, 500), (900, 500), (500, 100))]
    corners.append(Placed(500, 900, 500, 1000, 1000))
    with in_language(LANGUAGE, folder=pseudo):
        hints = [*placement_hints(far, None), *placement_hints(near, None)]
        for each in corners:
            hints += placement_hints(each, None)
        for sign in (-1, 1):
            turned = replace(SAME, turn_deg=sign * MAX_TURN_DEG, nod_deg=sign * MAX_TURN_DEG)
            turned = replace(turned, roll_deg=sign * MAX_ROLL_DEG)
            for view in (*VIEWS, "vertex"):
                hints += pose_hints(turned, view)
        for code in (*coaching.SIMPLE_WORDS, "exposure_changed"):
            for value in (-1.0, 1.0):
                finding = Finding(code, Severity.WARNING, value, 0.5, "", "its own advice")
                hints += finding_hints([finding])
    assert len({each.words for each in hints}) > 30
    assert _english(each.words for each in hints) == set()


def test_differences_from_the_reference_are_in_the_catalogue(pseudo):
    changes = dict.fromkeys(("nod_deg", "turn_deg", "roll_deg", "distance_percent"), 30.0)
    changes |= dict.fromkeys(("exposure_stops", "warmth_stops", "light_down_stops"), 3.0)
    changes |= {"blur_percent": 2.0, "focal_percent": 100.0, "camera_changed": True}
    found = []
    with in_language(LANGUAGE, folder=pseudo):
        for sign in (1, -1):
            signed = {
                name: value if name in {"camera_changed", "blur_percent"} else sign * value
                for name, value in changes.items()
            }
            found += judged(**signed)
            found += judged(**signed | {"warmth_stops": 0.0, "green_stops": sign})
            found += judged(**signed | {"light_across_stops": 4.0 * sign})
    advice = {each.advice for each in found}
    assert len(advice) >= 20
    filled_in = re.findall(r"(.)(?:yellower|bluer|greener|pinker|the \w+ side)\b", " ".join(advice))
    assert len(filled_in) >= 8
    assert set(filled_in) == {OPEN}
    left = _english(
        each.replace("Acme One", "").replace("mm", "").replace("cm", "") for each in advice
    )
    assert left == set()


def test_requests_are_answered_in_the_language_of_the_page(tmp_path):
    filing = Filing(tmp_path, "anna", "vertex", date(2026, 4, 12))
    session = CaptureSession(filing, None, wanted=2, max_megapixels=50.0)
    with in_language("de"):
        server = LocalServer(capture_routes(session, None, no_reference=""))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        with urlopen(server.url) as answer:
            page = answer.read().decode("utf-8")
    finally:
        server.stop()
        thread.join()
    assert '<html lang="de">' in page
    assert "Kamera starten" in page
