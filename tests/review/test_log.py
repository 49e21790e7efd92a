"""The file of decisions: what it says, what it refuses, and that it can only grow."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scalptrack.errors import InputError
from scalptrack.review.decision_file import DecisionFile, read_log
from scalptrack.review.decisions import Change, checked, crosses_itself
from scalptrack.review.store import ConflictError

PHOTO, OTHER = "a" * 64, "b" * 64
SQUARE = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]
EXCLUDED = {"verdict": "excluded", "reason": "wrong person"}


def _store(tmp_path: Path) -> DecisionFile:
    return DecisionFile(
        tmp_path / "decisions.jsonl", now=lambda: datetime(2026, 3, 12, 9, 5, tzinfo=UTC)
    )


def _note(after: str | None, before: str | None = None, photo: str = PHOTO) -> Change:
    return Change(("photo", photo, "note"), before, after)


def test_a_line_says_who_when_what_before_and_after(tmp_path):
    _store(tmp_path).decide("Dr. Grey", [Change(("photo", PHOTO, "verdict"), None, EXCLUDED)])
    (line,) = (tmp_path / "decisions.jsonl").read_text("utf-8").splitlines()
    values = json.loads(line)
    assert len(values.pop("sha256")) == 64
    assert values == {
        "schema": "scalptrack.decisions/1",
        "number": 1,
        "at": "2026-03-12T09:05:00Z",
        "who": "Dr. Grey",
        "action": "decide",
        "undoes": None,
        "changes": [{"photo": PHOTO, "what": "verdict", "before": None, "after": EXCLUDED}],
        "previous": "",
    }


def test_decisions_are_what_the_lines_say_one_after_the_other(tmp_path):
    store = _store(tmp_path)
    store.decide("A", [_note("first")])
    store.decide("B", [_note("second", "first"), _note("of another", photo=OTHER)])
    log = store.decide("C", [_note(None, "of another", photo=OTHER)])
    (decision,) = log.decisions().values()
    assert (decision.value, decision.who, decision.number) == ("second", "B", 2)
    assert read_log(store.path) == log
    assert [each.previous for each in log.entries[1:]] == [each.sha256 for each in log.entries[:2]]


def test_undo_takes_back_and_can_be_taken_back(tmp_path):
    store = _store(tmp_path)
    store.decide("A", [_note("first")])
    store.decide("A", [_note("second", "first")])
    log = store.undo("B", 2)
    assert log.decisions()["photo", PHOTO, "note"].value == "first"
    assert log.undone() == {2}
    with pytest.raises(ConflictError, match=r"Line 2 of decisions\.jsonl was taken back already"):
        store.undo("B", 2)
    log = store.undo("B", 3)
    assert log.decisions()["photo", PHOTO, "note"].value == "second"
    assert log.undone() == {3}
    assert len(log.entries) == 4


def test_undo_of_what_was_decided_anew_is_refused(tmp_path):
    store = _store(tmp_path)
    store.decide("A", [_note("first")])
    store.decide("B", [_note("second", "first")])
    with pytest.raises(ConflictError, match="B changed the note meanwhile"):
        store.undo("A", 1)


def test_another_decision_meanwhile_is_a_conflict_and_another_target_is_joined(tmp_path):
    store, other_tab = _store(tmp_path), _store(tmp_path)
    store.decide("A", [_note("of A")])
    other_tab.decide("B", [_note("elsewhere", photo=OTHER)])
    with pytest.raises(ConflictError) as raised:
        other_tab.decide("B", [_note("of B")])
    assert str(raised.value) == (
        "A changed the note meanwhile (2026-03-12T09:05:00Z). Nothing was saved; look at what is "
        "there now, and decide again."
    )
    assert len(store.read().decisions()) == 2


@pytest.mark.parametrize("damage", ["changed", "taken out", "put in", "cut"])
def test_a_log_that_was_tampered_with_is_refused(tmp_path, damage):
    store = _store(tmp_path)
    for text in ("one", "two", "three"):
        store.decide("A", [_note(text, photo=text.encode().hex().ljust(64, "0"))])
    lines = store.path.read_text("utf-8").splitlines()
    if damage == "changed":
        lines[1] = lines[1].replace('"two"', '"too"')
    elif damage == "taken out":
        del lines[1]
    elif damage == "put in":
        lines.insert(1, lines[0])
    else:
        lines[2] = lines[2][:-20]
    store.path.write_text("\n".join(lines) + "\n", "utf-8")
    number = 3 if damage == "cut" else 2
    with pytest.raises(InputError, match=f"was changed at its line {number}: it no longer says"):
        store.read()
    with pytest.raises(InputError):
        store.decide("A", [_note("four")])


TEN_DECISIONS = """
import sys
from pathlib import Path
from scalptrack.review.decisions import Change
from scalptrack.review.decision_file import DecisionFile
letter = sys.argv[2]
store = DecisionFile(Path(sys.argv[1]))
for i in range(10):
    store.decide(letter, [Change(("photo", f"{letter}{i:063d}", "note"), None, "x")])
"""


def test_two_processes_at_once_lose_nothing(tmp_path):
    path = tmp_path / "decisions.jsonl"
    store, count = DecisionFile(path), 0
    with subprocess.Popen([sys.executable, "-c", TEN_DECISIONS, str(path), "a"]) as other:
        while other.poll() is None or count < 10:
            store.decide("b", [_note("x", photo=f"b{count:063d}")])
            count += 1
            time.sleep(0.02)
    assert other.returncode == 0
    log = read_log(path)
    assert len(log.entries) == len(log.decisions()) == count + 10


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("verdict", {"verdict": "excluded", "reason": " "}, "Give a reason for excluding"),
        ("verdict", {"verdict": "measured"}, "it has to be 'accepted' or 'excluded'"),
        ("region", {"polygons": [SQUARE[:2]]}, "needs 3 to 400 corners; this one has 2"),
        ("region", {"polygons": [[SQUARE[i] for i in (0, 2, 1, 3)]]}, "crosses itself"),
        ("region", {"polygons": [[[0, 0], [1, float("nan")], [2, 2]]]}, "2 numbers in pixels"),
        ("points", {"reference": PHOTO, "pairs": [[1, 2, 3, 4]] * 3}, "there are 3"),
        ("points", {"reference": PHOTO, "pairs": [[1, 2, 3, 4]] * 4}, "lie on the same spot"),
        ("points", {"reference": "a.jpg", "pairs": []}, "the SHA-256 of a photograph"),
        ("events", [{"date": "12.3.2026", "label": "start"}], "is not a date like 2026-03-12"),
        ("events", [{"date": "2026-03-12", "label": ""}], "needs a date and a few words"),
        ("reference", "yes", "true or null"),
        ("note", "x" * 501, "at most 500 characters"),
    ],
)
def test_what_can_not_be_decided_is_refused(what, value, message):
    with pytest.raises(InputError, match=message):
        checked(what, value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"photo": "2026-01-10.jpg", "what": "note"}, "is not the SHA-256 of a photograph"),
        ({"photo": PHOTO, "what": "events"}, "nothing that can be decided here"),
        ({"subject": "anna", "what": "note"}, "nothing that can be decided here"),
    ],
)
def test_a_target_is_named_by_content(target, message):
    with pytest.raises(InputError, match=message):
        Change.from_dict({**target, "before": None, "after": "x"})


def test_a_decision_is_kept_in_its_one_form_or_not_at_all(tmp_path):
    store = _store(tmp_path)
    target = ("photo", PHOTO, "region")
    corners = [[int(x), int(y)] for x, y in SQUARE]
    store.decide("A", [Change(target, None, {"polygons": [corners]})])
    assert store.read().decisions()[target].value == {"polygons": [SQUARE]}
    with pytest.raises(InputError, match="needs 3 to 400 corners"):
        store.decide("A", [Change(target, {"polygons": [SQUARE]}, {"polygons": [SQUARE[:2]]})])
    assert len(store.read().entries) == 1


def test_a_nameless_reviewer_decides_nothing(tmp_path):
    with pytest.raises(InputError, match="Say who decides"):
        _store(tmp_path).decide("  ", [_note("x")])
    assert not (tmp_path / "decisions.jsonl").exists()


def test_polygons_that_touch_themselves():
    bow_tie = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]
    spike = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 0.0]]
    concave = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 1.0], [0.0, 4.0]]
    assert [crosses_itself(each) for each in (bow_tie, spike, concave, SQUARE)] == [
        True,
        True,
        False,
        False,
    ]
