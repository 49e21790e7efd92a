"""A study on the page of `review`: what it shows, and that decisions go to the database."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from study.decided import EXCLUDED, decide, hashes_of, run, study
from study.fake_pipeline import coverage_of
from study.study_files import good_rows, invoke, write_manifest

from scalptrack.cli.main import main
from scalptrack.errors import InputError
from scalptrack.review.session import ReviewSession
from scalptrack.study import reviewing
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.reviewing import StudyPlace
from scalptrack.study.store import StudyStore
from scalptrack.translation import current_language, in_language

__all__ = ["study"]

FIRST, SECOND = "s0_2024-01-10_1.jpg", "s0_2024-04-10_1.jpg"


@pytest.fixture
def session(study) -> ReviewSession:
    return ReviewSession(StudyPlace(study), reviewer="Dr. Grey")


def _photo(state, name):
    every = [each for series in state["series"] for each in series["photographs"]]
    return next(each for each in every if each["photo"] == name)


def _change(sha256: str, what: str, after, before=None) -> dict:
    return {"photo": sha256, "what": what, "before": before, "after": after}


def test_the_page_shows_every_photograph_of_a_study(study, session):
    state = session.state()
    assert state["title"] == "trial"
    assert [(each["subject"], len(each["photographs"])) for each in state["series"]] == [
        ("s0", 4),
        ("s1", 4),
        ("s2", 4),
    ]
    first = _photo(state, FIRST)
    assert (first["status"], first["is_reference"], first["looks"]) == ("measured", True, [])
    assert float(first["coverage_percent"]) == pytest.approx(
        100 * coverage_of(hashes_of(study)[FIRST]), abs=0.01
    )
    assert _photo(state, "stranger.jpg")["looks"] == ["refused"]
    assert (state["need_a_look"], state["stale"]) == (1, False)


def test_neither_arms_nor_sites_nor_changes_are_shown(session):
    text = json.dumps(session.state())
    assert "north" not in text
    assert '"arm"' not in text
    assert all(each["changes"] == [] for each in session.state()["series"])


def test_a_decision_goes_to_the_database_and_the_page_says_that_numbers_are_older(study, session):
    hashes = hashes_of(study)
    state = session.decide("Dr. Grey", [_change(hashes["stranger.jpg"], "verdict", EXCLUDED)])
    assert (state["stale"], state["need_a_look"]) == (True, 0)
    assert state["command"] == f"scalptrack study run {study.folder}"
    assert state["decisions_file"] == str(study.folder / "study.sqlite")
    (line,) = StudyDecisions(StudyStore(study.folder)).read().entries
    assert (line.who, line.changes[0].after) == ("Dr. Grey", EXCLUDED)
    run(study)
    state = session.state()
    assert state["stale"] is False
    assert _photo(state, "stranger.jpg")["reason"] == "Excluded by Dr. Grey: wet hair"
    state = session.undo("Dr. Grey", 1)
    assert state["stale"] is True


def test_a_region_keeps_its_photograph_as_the_reference_and_strangers_are_refused(study, session):
    hashes = hashes_of(study)
    triangle = {"polygons": [[[10.0, 10.0], [50.0, 10.0], [30.0, 40.0]]]}
    state = session.decide("A", [_change(hashes[SECOND], "region", triangle)])
    assert [each["what"] for each in state["log"][0]["changes"]] == ["region", "reference"]
    with pytest.raises(InputError, match="trial has no photograph fff"):
        session.decide("A", [_change("f" * 64, "note", "x")])


def test_a_photograph_is_shown_only_with_the_content_of_the_study(study, session):
    hashes = hashes_of(study)
    picture, size = session.photograph(hashes[FIRST])
    assert (picture[:2], size) == (b"\xff\xd8", (64, 64))
    study.photo_root.path_of(SECOND).write_bytes(b"another")
    with pytest.raises(InputError, match=f"{SECOND} is not the file that the study was made with"):
        session.photograph(hashes[SECOND])
    with pytest.raises(InputError, match="has no such photograph"):
        session.photograph("f" * 64)


def test_photographs_that_are_still_to_do_can_be_decided_on(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows(1))
    assert invoke("init", tmp_path / "trial", "--manifest", manifest).exit_code == 0
    store = StudyStore(tmp_path / "trial")
    session = ReviewSession(StudyPlace(store))
    assert _photo(session.state(), FIRST)["status"] == "to do"
    state = session.decide("A", [_change(hashes_of(store)[FIRST], "verdict", EXCLUDED)])
    assert (state["stale"], len(state["decisions"])) == (False, 1)


@pytest.fixture
def drawn(monkeypatch, study):
    """What was drawn: subject, index of the reference, index of the photograph."""
    calls = []

    def draw(series, index, cache, settings):
        calls.append((series.subject, series.reference, index))
        made = {}
        for kind in ("overlay", "compare", "gain_loss"):
            made[kind] = None if index == series.reference and kind != "overlay" else _Encoded(kind)
        return type("Made", (), made)

    monkeypatch.setattr(reviewing, "pictures_of", draw)
    return calls


class _Encoded:
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def tobytes(self) -> bytes:
        return self.kind.encode()


def test_pictures_are_drawn_of_the_results_and_not_of_what_waits(study, session, drawn):
    state = session.state()
    names = _photo(state, FIRST)["pictures"]
    assert list(names) == ["overlay"]
    assert names["overlay"] == "s0/vertex/2024-01-10_1.overlay.jpg"
    assert session.picture(names["overlay"]) == b"overlay"
    second = _photo(state, SECOND)["pictures"]
    assert list(second) == ["overlay", "compare", "gain-loss"]
    assert session.picture(second["gain-loss"]) == b"gain_loss"
    assert _photo(state, "stranger.jpg")["pictures"] == {}
    session.picture("s1/vertex/2024-01-10_2.overlay.jpg")
    assert drawn == [("s0", 0, 0), ("s0", 0, 2), ("s1", 0, 1)]
    decide(study, SECOND, "reference", True)
    session = ReviewSession(StudyPlace(study))
    session.picture(second["compare"])
    assert drawn[-1] == ("s0", 0, 2)
    run(study)
    pictures = {name: _photo(session.state(), name)["pictures"] for name in (FIRST, SECOND)}
    assert list(pictures[SECOND]) == ["overlay"]
    session.picture(pictures[FIRST]["compare"])
    assert drawn[-1] == ("s0", 2, 0)


def test_no_picture_is_drawn_of_another_content_or_of_what_is_none(study, session, drawn):
    name = _photo(session.state(), SECOND)["pictures"]["compare"]
    study.photo_root.path_of(FIRST).write_bytes(b"another")
    with pytest.raises(InputError, match=f"{FIRST} is not the file"):
        session.picture(name)
    for other in ("s1/vertex/2024-04-10_1.overlay.jpg", "../study.sqlite", "study.sqlite"):
        with pytest.raises(InputError, match="There is no such picture"):
            session.picture(other)
    assert drawn == []


def test_review_of_a_study_in_a_script(study, tmp_path):
    decide(study, "stranger.jpg", "verdict", EXCLUDED)
    result = CliRunner().invoke(main, ["review", str(study.folder), "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["stale"] is True
    assert result.stderr == "12 files: 0 to look at, 1 decision, 1 line in the log\n"
    run(study)
    assert CliRunner().invoke(main, ["review", str(study.folder), "--json"]).exit_code == 0


def test_moved_photographs_of_a_study_are_found_where_they_are(study, tmp_path):
    (tmp_path / "photos").rename(tmp_path / "moved")
    from scalptrack.cli.review import _place

    sha256 = hashes_of(study)[FIRST]
    with pytest.raises(InputError):
        ReviewSession(_place(study.folder, "")).photograph(sha256)
    session = ReviewSession(_place(study.folder, str(tmp_path / "moved")))
    assert session.photograph(sha256)[1] == (64, 64)


def test_what_a_page_computes_is_kept_in_the_language_of_the_study(study, drawn, monkeypatch):
    """A run finds it in the cache, sentences included."""
    languages = []
    measured = reviewing.running.measured_series

    def measure(job, place):
        languages.append(current_language())
        return measured(job, place)

    monkeypatch.setattr(reviewing.running, "measured_series", measure)
    with in_language("de"):
        ReviewSession(StudyPlace(study)).picture("s0/vertex/2024-01-10_1.overlay.jpg")
        assert current_language() == "de"
    assert languages == ["en"]


def test_what_cant_be_shown_or_decided_is_said_in_the_language_of_the_page(study):
    study.photo_root.path_of(SECOND).write_bytes(b"another")
    with in_language("de"):
        session = ReviewSession(StudyPlace(study))
        with pytest.raises(InputError, match=f"{SECOND} ist nicht die Datei, mit der die Studie"):
            session.photograph(hashes_of(study)[SECOND])
        with pytest.raises(InputError, match=r"Die Studie hat kein solches Foto\."):
            session.photograph("f" * 64)
        with pytest.raises(InputError, match=r"Dieses Bild gibt es nicht\."):
            session.picture("x.jpg")
        with pytest.raises(InputError, match=r"^Eine Zeile 7 gibt es nicht in Entscheidungen von"):
            session.undo("A", 7)


def test_a_decision_of_a_german_page_is_stored_as_that_of_an_english_one(study):
    """But for the time, which the hash of the line holds as well."""
    sha256 = hashes_of(study)["stranger.jpg"]
    lines = []
    for language in ("en", "de"):
        with in_language(language):
            page = ReviewSession(StudyPlace(study))
            page.decide("Dr. Grey", [_change(sha256, "verdict", EXCLUDED)])
            page.decide("Dr. Grey", [_change(sha256, "verdict", None, EXCLUDED)])
        entries = StudyDecisions(study).read().entries[-2:]
        lines.append([(e.who, e.action, [c.as_dict() for c in e.changes]) for e in entries])
    assert lines[0] == lines[1]
    actions = [(line.who, line.action, line.details.keys()) for line in study.log_lines()[-4:]]
    assert actions[:2] == actions[2:]
