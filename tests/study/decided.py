"""A small measured study of fake photographs, and decisions on them."""

from __future__ import annotations

import json

import pytest
from builders import Shift
from study.fake_pipeline import HereExecutor, fake_registration, fakes
from study.study_files import good_rows, invoke, write_manifest

from scalptrack import aligning, pipeline
from scalptrack.plain import to_plain
from scalptrack.records import Registration, Tier
from scalptrack.review.decisions import Change
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.running import RunCounts, run_study
from scalptrack.study.store import StudyStore

EXCLUDED = {"verdict": "excluded", "reason": "wet hair"}
RIGHT_HALF = {"polygons": [[[60.0, 10.0], [110.0, 10.0], [110.0, 110.0], [60.0, 110.0]]]}
CORNERS = [[40.0, 40.0], [80.0, 40.0], [40.0, 80.0], [80.0, 80.0]]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A measured study: of s1, s1_2024-04-10_1.jpg shows somebody else."""
    monkeypatch.setattr("scalptrack.study.status.study_fingerprint", lambda _store: "f" * 64)
    monkeypatch.setattr(pipeline, "identity", lambda _features: Shift())
    spread = (Shift(dx=-3.0), Shift(dx=3.0))
    by_points = Registration(Tier.B, Shift(), spread, 2.0, 4, 0.9, (), None, "points")
    monkeypatch.setattr(aligning, "register_by_points", lambda *_, **__: by_points)
    rows = good_rows(3)
    rows[6] = ("stranger.jpg", *rows[6][1:])
    manifest = write_manifest(tmp_path / "photos", rows)
    assert invoke("init", tmp_path / "trial", "--manifest", manifest).exit_code == 0
    with fakes(), fake_registration():
        store = StudyStore(tmp_path / "trial")
        run_study(store, executor=HereExecutor())
        yield store


def hashes_of(store) -> dict[str, str]:
    return {each.name: each.sha256 for each in store.photographs()}


def decide(store, name: str, what: str, value, *, before=None, who: str = "Dr. Grey") -> None:
    target = ("photo", hashes_of(store).get(name, name), what)
    StudyDecisions(store).decide(who, [Change(target, before, value)])


def run(store) -> RunCounts:
    return run_study(store, executor=HereExecutor())


def outcomes_of(store) -> dict:
    return {each.name: each for each in store.outcomes()}


def text_of(store, *subjects: str) -> str:
    return json.dumps([to_plain(each) for each in store.outcomes() if each.subject in subjects])
