"""Decisions that were made elsewhere: taken over whole, once, and never against another one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scalptrack.errors import InputError
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import Change
from scalptrack.review.store import ConflictError, Source

PHOTO, OTHER = "a" * 64, "b" * 64


def _file(path, minute: int = 5) -> DecisionFile:
    return DecisionFile(path, now=lambda: datetime(2026, 3, 12, 9, minute, tzinfo=UTC))


def _note(after: str | None, before: str | None = None, photo: str = PHOTO) -> Change:
    return Change(("photo", photo, "note"), before, after)


def _source(store: DecisionFile) -> Source:
    return Source(store.name, store.read())


def test_an_empty_log_becomes_the_same_bytes(tmp_path):
    here, there = _file(tmp_path / "here.jsonl"), _file(tmp_path / "there.jsonl")
    there.decide("Dr. Grey", [_note("first")])
    there.decide("Dr. Black", [_note("second", "first")])
    there.undo("Dr. Grey", 2)
    assert here.take("Me", _source(there)) == 3
    assert here.path.read_bytes() == there.path.read_bytes()


def test_only_new_lines_are_added_and_keep_who_when_and_what_they_take_back(tmp_path):
    here, there = _file(tmp_path / "here.jsonl", 7), _file(tmp_path / "there.jsonl")
    here.decide("Dr. White", [_note("mine", photo=OTHER)])
    there.decide("Dr. Grey", [_note("first")])
    assert here.take("Me", _source(there)) == 1
    there.undo("Dr. Black", 1)
    assert here.take("Me", _source(there)) == 1
    assert here.take("Me", _source(there)) == 0
    lines = here.read().entries
    assert [(each.number, each.who, each.at[14:16], each.undoes) for each in lines] == [
        (1, "Dr. White", "07", None),
        (2, "Dr. Grey", "05", None),
        (3, "Dr. Black", "05", 2),
    ]
    assert [each.value for each in here.read().decisions().values()] == ["mine"]


def test_the_same_act_twice_is_two_lines(tmp_path):
    here, there = _file(tmp_path / "here.jsonl"), _file(tmp_path / "there.jsonl")
    for _ in range(2):
        there.decide("A", [_note("x")])
        there.decide("A", [_note(None, "x")])
        assert here.take("Me", _source(there)) == 2
    assert len(here.read().entries) == 4


def test_a_decision_against_another_one_takes_nothing_over(tmp_path):
    here, there = _file(tmp_path / "here.jsonl", 7), _file(tmp_path / "there.jsonl")
    here.decide("Dr. White", [_note("mine")])
    there.decide("Dr. Grey", [_note("elsewhere", photo=OTHER)])
    there.decide("Dr. Grey", [_note("theirs")])
    with pytest.raises(ConflictError) as raised:
        here.take("Me", _source(there))
    assert str(raised.value) == (
        "Dr. Grey (line 2 of there.jsonl, 2026-03-12T09:05:00Z) and Dr. White (line 1 here, "
        "2026-03-12T09:07:00Z) both decided on the note of photograph aaaaaaaaaaaa…. Nothing was "
        "taken over: take back one of the two, and try again."
    )
    assert len(here.read().entries) == 1
    here.undo("Dr. White", 1)
    assert here.take("Me", _source(there)) == 2


def test_nobody_takes_nothing_over(tmp_path):
    there = _file(tmp_path / "there.jsonl")
    there.decide("Dr. Grey", [_note("first")])
    with pytest.raises(InputError, match="Say who decides"):
        _file(tmp_path / "here.jsonl").take(" ", _source(there))
    assert not (tmp_path / "here.jsonl").exists()


def test_a_change_of_what_was_never_decided_is_refused(tmp_path):
    with pytest.raises(InputError, match="Nothing was decided on the note yet"):
        _file(tmp_path / "here.jsonl").decide("A", [_note("x", before="y")])
