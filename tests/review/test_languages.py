"""The review page in other languages: what it says, and what it answers."""

from __future__ import annotations

import html
import json
import re
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib import resources

import pytest

from scalptrack.errors import InputError, ScalptrackError
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import (
    MAX_EVENTS,
    MAX_PAIRS,
    MAX_POLYGONS,
    MAX_TEXT,
    MAX_VERTICES,
    NAMES,
    OF_PHOTOGRAPHS,
    OF_SUBJECTS,
    Change,
    checked,
)
from scalptrack.review.folder import FolderPlace, read_folder
from scalptrack.review.reviewed import KINDS
from scalptrack.review.server import ReviewServer
from scalptrack.review.session import ReviewSession
from scalptrack.review.store import ConflictError
from scalptrack.review.words import LOOK_NAMES, PICTURE_NAMES, page_names, page_words
from scalptrack.translation import LOCALE_FOLDER, in_language
from tests.pseudo import LANGUAGE, outside, write_pseudo_language
from tests.review.results import NAMES as PHOTOGRAPHS
from tests.review.results import write_results

WORD = re.compile(r"[^\W\d_]{2,}")
TEMPLATE = resources.files("scalptrack.review").joinpath("template")
SCRIPTS = "".join(
    TEMPLATE.joinpath(name).read_text("utf-8") for name in ("review.js", "drawing.js")
)
EXCLUDED = {"verdict": "excluded", "reason": "another person"}


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


@pytest.fixture
def session(tmp_path) -> ReviewSession:
    out, _, _ = write_results(tmp_path)
    return ReviewSession(FolderPlace(out))


def _english(pieces, *given: str) -> set[str]:
    return set(WORD.findall(outside(pieces))) - set(given)


@contextmanager
def _served(session, language, folder):
    """A server of a page in a language, and what it answers, from threads that know none."""
    with in_language(language, folder=folder):
        made = ReviewServer(session)

    def ask(method: str, path: str, content: str | None = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", made.server_port, timeout=60)
        headers = {"Content-Type": "application/json", "X-Scalptrack-Token": made.token}
        connection.request(method, f"/{made.token}/{path}", content, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8")
        connection.close()
        return answer.status, text

    with made as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield ask
        finally:
            server.shutdown()
            thread.join()


def test_all_that_the_page_holds_is_in_the_catalogue(session, pseudo):
    with _served(session, LANGUAGE, pseudo) as ask:
        _, page = ask("GET", "")
    assert f'<html lang="{LANGUAGE}">' in page
    said = re.findall(r'aria-label="([^"]*)"', page)
    body = re.sub(r"<[^>]*>", "\n", page)
    shown = [html.unescape(each) for each in (*said, *body.splitlines()) if each.strip()]
    assert len(shown) > 15
    assert _english(shown) == set()


def test_the_scripts_have_no_words_of_their_own_and_know_all_that_they_say(session, pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        words, names = page_words(), page_names()
    with _served(session, LANGUAGE, pseudo) as ask:
        _, page = ask("GET", "")
    given = re.findall(r'data-(?:words|names)="([^"]*)"', page)
    assert [json.loads(html.unescape(each)) for each in given] == [words, names]
    assert _english(re.sub(r"\{\w+\}", "", each) for each in words.values()) == set()
    assert _english(each for table in names.values() for each in table.values()) == set()
    assert set(words) <= set(re.findall(r'"(\w+)"', SCRIPTS))
    assert set(re.findall(r'word\("(\w+)"', SCRIPTS)) <= set(words)
    assert set(re.findall(r'(?:named|codes)\("(\w+)"', SCRIPTS)) == set(names)
    code = re.sub(r"(?m)^\s*(//|/?\*).*|//.*$", "", SCRIPTS)
    assert re.findall(r'"[A-Z][^"]* [^"]*"|`[A-Z][a-z]+ [^`]*`|"[a-z]+ [a-z]+ [^"]*"', code) == []


def test_the_scripts_fill_in_what_each_message_has(pseudo):
    """A placeholder that the script doesn't know would be shown as "undefined"."""
    words = page_words()
    for name, values in re.findall(r'word\("(\w+)", \{([^}]*)\}', SCRIPTS):
        known = set(re.findall(r"(\w+)(?::|,|$)", re.sub(r":\s[^,]*", ":", values.strip())))
        assert set(re.findall(r"\{(\w+)\}", words[name])) <= known | {"who", "at"}, name


def test_every_code_that_the_page_shows_has_a_name():
    names = page_names()
    assert set(names["pictures"]) == {*KINDS, "photo"} == set(PICTURE_NAMES)
    assert set(names["looks"]) == set(LOOK_NAMES)
    assert set(names["statuses"]) == {"measured", "refused", "rejected", "to do"}
    assert (names["corners"]["1"], names["corners"]["3"]) == ("1 corner", "3 corners")
    assert set(NAMES) == {*OF_PHOTOGRAPHS, *OF_SUBJECTS}


def test_names_and_words_are_german():
    with in_language("de"):
        names, words = page_names(), page_words()
    assert (names["corners"]["1"], names["corners"]["4"]) == ("1 Ecke", "4 Ecken")
    assert names["statuses"]["refused"] == "abgelehnt"
    assert names["looks"]["tier_b"] == "Stufe B"
    assert (words["decimal_mark"], words["date"]) == (",", "{day}. {month} {year}")


def _box(count: int) -> list[list[float]]:
    """A polygon of many corners that doesn't cross itself."""
    return [[float(i), 0.0] for i in range(count - 1)] + [[0.0, 9.0]]


POLYGON = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]
PAIR = [1.0, 2.0, 3.0, 4.0]
UNDECIDABLE = (
    ("verdict", "0"),
    ("verdict", {"verdict": "accepted"}),
    ("verdict", {"verdict": "excluded", "reason": " "}),
    ("verdict", {"verdict": "excluded", "reason": "0" * (MAX_TEXT + 1)}),
    ("reference", False),
    ("note", 1),
    ("other", 1),
    ("region", []),
    ("region", {"polygons": [POLYGON] * (MAX_POLYGONS + 1)}),
    ("region", {"polygons": [_box(MAX_VERTICES + 1)]}),
    ("region", {"polygons": [[[0.0, 0.0], [9.0, 9.0], [9.0, 0.0], [0.0, 9.0]]]}),
    ("region", {"polygons": [0]}),
    ("region", {"polygons": [[[0.0]]]}),
    ("points", {"reference": "0", "pairs": []}),
    ("points", {"reference": "0" * 64, "pairs": [PAIR] * 3}),
    ("points", {"reference": "0" * 64, "pairs": [PAIR] * (MAX_PAIRS + 1)}),
    ("points", {"reference": "0" * 64, "pairs": [PAIR] * 4}),
    ("events", [{}] * (MAX_EVENTS + 1)),
    ("events", [{"date": "2026-01-01", "label": ""}]),
    ("events", [{"date": "0-0", "label": "0"}]),
)


@pytest.mark.parametrize(("what", "value"), UNDECIDABLE)
def test_why_something_cant_be_decided_is_in_the_catalogue(what, value, pseudo):
    with in_language(LANGUAGE, folder=pseudo), pytest.raises(InputError) as raised:
        checked(what, value)
    said = str(raised.value)
    assert _english([said]) == set()
    # What is filled in is from the catalogue, too.
    if "can't be kept" in said:
        assert re.fullmatch(r"⟦The ⟦.* can't be kept: it has to be ⟦.*⟧\.⟧", said)
    if said.startswith("⟦Of "):
        assert said.startswith("⟦Of ⟦the ")


def _message(call, pseudo) -> str:
    with in_language(LANGUAGE, folder=pseudo), pytest.raises(ScalptrackError) as raised:
        call()
    return str(raised.value)


def test_conflicts_and_what_is_missing_are_in_the_catalogue(session, tmp_path, pseudo):
    out, photos, hashes = write_results(tmp_path)
    first, second = hashes[PHOTOGRAPHS[0]], hashes[PHOTOGRAPHS[1]]
    target = ("photo", first, "verdict")
    store = session.store
    store.decide("A", [Change(target, None, EXCLUDED)])
    store.decide("A", [Change(("photo", second, "note"), None, "0")])
    store.undo("A", 2)
    region = {"photo": first, "what": "region", "before": None, "after": {"polygons": [POLYGON]}}
    nobody = {"subject": "x", "what": "events", "before": None, "after": []}
    (photos / PHOTOGRAPHS[1]).write_bytes(b"0")
    (photos / PHOTOGRAPHS[2]).unlink()
    found = read_folder(out)
    said = [
        _message(lambda: store.decide("B", [Change(target, None, EXCLUDED)]), pseudo),
        _message(lambda: store.decide("B", [Change(("photo", second, "note"), "0", "1")]), pseudo),
        _message(
            lambda: store.decide("B", [Change(("photo", "0" * 64, "note"), "0", "1")]), pseudo
        ),
        _message(lambda: store.decide("B", [Change(target, EXCLUDED, EXCLUDED)]), pseudo),
        _message(lambda: store.decide("B", [Change(target, EXCLUDED, None)] * 2), pseudo),
        _message(lambda: store.decide(" ", [Change(target, EXCLUDED, None)]), pseudo),
        _message(lambda: store.undo("B", 2), pseudo),
        _message(lambda: store.undo("B", 9), pseudo),
        _message(lambda: session.decide("B", [region]), pseudo),
        _message(lambda: session.decide("B", [nobody]), pseudo),
        _message(lambda: session.decide("B", [region | {"photo": "0" * 64}]), pseudo),
        _message(lambda: session.decide("B", [{"what": "note"}]), pseudo),
        _message(lambda: session.decide("B", [region | {"photo": "0"}]), pseudo),
        _message(lambda: session.decide("B", [nobody | {"what": "0"}]), pseudo),
        _message(lambda: session.picture("0.jpg"), pseudo),
        _message(lambda: found.photograph_path("0" * 64), pseudo),
        _message(lambda: found.photograph_path(second), pseudo),
        _message(lambda: found.photograph_path(hashes[PHOTOGRAPHS[2]]), pseudo),
        _message(lambda: read_folder(photos), pseudo),
    ]
    names = {str(photos), str(out), "results", "decisions.jsonl", *PHOTOGRAPHS}
    for name in sorted(names, key=len, reverse=True):
        said = [each.replace(name, "") for each in said]
    said = [re.sub(r"\('[^)]*\)|T00:00:00Z", "", each) for each in said]
    assert len(set(said)) == len(said)
    assert {word for each in said for word in _english([each])} == set()


def test_a_log_that_was_changed_is_said_in_the_language(tmp_path, pseudo):
    path = tmp_path / "decisions.jsonl"
    said = []
    for content in (b"{}\n", b'{"schema": "0"}\n', b"\xff"):
        path.write_bytes(content)
        said.append(_message(DecisionFile(path).read, pseudo).replace(path.as_posix(), ""))
    assert len(set(said)) == 3
    assert _english(each.partition("utf-8")[0] for each in said[:2]) == set()
    assert said[2].startswith("⟦ can't be read: ")
    path.unlink()
    path.with_name(f".{path.name}.lock").mkdir()
    store = DecisionFile(path)
    change = Change(("photo", "0" * 64, "note"), None, "0")
    said = _message(lambda: store.decide("A", [change]), pseudo)
    assert said.endswith(". Nothing was saved.⟧")


def test_requests_are_answered_in_the_language_of_the_page(session, pseudo, monkeypatch):
    with _served(session, LANGUAGE, pseudo) as ask:
        answers = [
            ask("GET", "nothing"),
            ask("GET", "picture/a.jpg"),
            ask("POST", "nothing", "{}"),
            ask("POST", "decide", "{"),
            ask("POST", "decide", "[]"),
            ask("POST", "undo", '{"number": 9, "reviewer": ""}'),
        ]
        monkeypatch.setattr(session, "state", lambda: 1 / 0)
        answers.append(ask("GET", "state.json"))
    assert [status for status, _ in answers] == [404, 404, 404, 400, 400, 400, 500]
    said = [json.loads(text)["error"] for _, text in answers]
    assert _english(said) == set()
    assert len(set(said)) == len(said)


def test_a_conflict_is_german_and_says_who_it_was(session):
    first = session.state()["series"][0]["photographs"][0]["sha256"]
    target = ("photo", first, "verdict")
    session.store.decide("A", [Change(target, None, EXCLUDED)])
    with in_language("de"), pytest.raises(ConflictError) as raised:
        session.store.decide("B", [Change(target, None, EXCLUDED)])
    assert str(raised.value).startswith("A hat inzwischen etwas geändert: Beurteilung (")


def test_what_an_english_run_took_from_the_catalogue_is_said_in_the_language(tmp_path):
    """Names of findings, and sentences that hold no numbers."""
    out, _, hashes = write_results(tmp_path)
    path = out / ".scalptrack" / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    advice = ("Hold the phone still, tap on the scalp to focus, and retake.", "Said by hand.")
    run["findings"] = {
        hashes[PHOTOGRAPHS[1]]: [
            {"code": "low_resolution", "severity": "warning", "advice": each} for each in advice
        ]
    }
    path.write_text(json.dumps(run), encoding="utf-8")
    session = ReviewSession(FolderPlace(out))
    (english, german) = (_findings_in(session, language) for language in ("en", "de"))
    assert [each["name"] for each in english] == ["low resolution"] * 2
    assert [each["advice"] for each in english] == list(advice)
    assert [each["name"] for each in german] == ["niedrige Auflösung"] * 2
    assert german[0]["advice"].startswith("Halten Sie das Telefon ruhig, tippen")
    assert german[1]["advice"] == "Said by hand."
    assert {each["code"] for each in german} == {"low_resolution"}
    with in_language("de"):
        refused = session.state()["series"][0]["photographs"][2]
    assert (refused["reason"], refused["status"]) == (
        "konnte nicht ausgerichtet werden.",
        "refused",
    )


def _findings_in(session, language):
    with in_language(language, folder=LOCALE_FOLDER):
        return session.state()["series"][0]["photographs"][1]["findings"]
