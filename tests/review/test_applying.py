"""From decisions to what a run has to know."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from scalptrack.corrections import Corrections
from scalptrack.records import Catalog, Event, Reason
from scalptrack.review.applying import apply_decisions
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import Change
from scalptrack.review.log import DecisionLog
from tests.test_pipeline import _photograph

CATALOG = Catalog(Path("photos"), tuple(_photograph(n) for n in (1, 2, 3)), ())
ONE, TWO, THREE = (each.sha256 for each in CATALOG.photographs)


def _log(tmp_path, *values) -> DecisionLog:
    store = DecisionFile(tmp_path / "decisions.jsonl")
    for target, value in values:
        store.decide("Dr. Grey", [Change.from_dict({**target, "after": value})])
    return store.read()


def test_no_decision_changes_nothing():
    assert apply_decisions(CATALOG, DecisionLog(), source="x") == (CATALOG, Corrections())


def test_every_kind_of_decision_arrives(tmp_path):
    region = {"polygons": [[[1.0, 2.0], [30.0, 2.0], [20.0, 40.0]]]}
    pairs = [[1.0, 2.0, 3.0, 4.0], [9.0, 2.0, 3.0, 8.0], [1.0, 9.0, 5.0, 4.0], [8.0, 8.0, 7.0, 6.0]]
    log = _log(
        tmp_path,
        ({"photo": ONE, "what": "verdict"}, {"verdict": "excluded", "reason": "wet hair"}),
        ({"photo": TWO, "what": "reference"}, True),
        ({"photo": TWO, "what": "region"}, region),
        ({"photo": THREE, "what": "points"}, {"reference": TWO, "pairs": pairs}),
        ({"photo": THREE, "what": "note"}, "ask again"),
        ({"subject": "s", "what": "events"}, [{"date": "2026-02-01", "label": "minoxidil"}]),
    )
    catalog, found = apply_decisions(CATALOG, log, source="decisions.jsonl")
    assert [each.set_as_reference for each in catalog.photographs] == [False, True, False]
    assert found.excluded == {ONE: Reason("excluded", "Excluded by Dr. Grey: wet hair")}
    assert found.regions[TWO].polygons == (((1.0, 2.0), (30.0, 2.0), (20.0, 40.0)),)
    assert found.points[THREE].reference_sha256 == TWO
    assert [list(pair) for pair in found.points[THREE].pairs] == pairs
    assert found.events == (Event(date(2026, 2, 1), "minoxidil", "s"),)
    assert found.notes == ("decisions.jsonl: 5 decisions of a reviewer applied.",)
    assert found.record["log_sha256"] == log.head
    assert [each["what"] for each in found.record["applied"]] == [
        "verdict",
        "reference",
        "region",
        "points",
        "events",
    ]


def test_decisions_follow_the_content_and_lost_ones_are_named(tmp_path):
    log = _log(
        tmp_path,
        ({"photo": "f" * 64, "what": "verdict"}, {"verdict": "excluded", "reason": "gone"}),
        ({"subject": "nobody", "what": "events"}, [{"date": "2026-02-01", "label": "x"}]),
    )
    _, found = apply_decisions(CATALOG, log, source="decisions.jsonl")
    assert found.notes == (
        "decisions.jsonl: 2 decisions on photographs or people that aren't among these; nothing "
        "was done with them.",
    )
    assert found.record["applied"] == []


def test_the_later_of_two_references_counts_and_is_said(tmp_path):
    log = _log(
        tmp_path,
        ({"photo": THREE, "what": "reference"}, True),
        ({"photo": ONE, "what": "reference"}, True),
    )
    catalog, found = apply_decisions(CATALOG, log, source="decisions.jsonl")
    assert [each.set_as_reference for each in catalog.photographs] == [True, False, False]
    assert found.notes[1] == (
        "s/vertex/3.jpg and s/vertex/1.jpg were both marked as the reference of one view; the "
        "later mark counts."
    )
