"""Decisions in a study's database: the lines of the file of decisions, and as hard to change."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from schema_checks import problems_of
from study.study_files import good_rows, invoke, write_manifest
from study.trial import make_trial

from scalptrack.errors import InputError
from scalptrack.plain import to_plain
from scalptrack.review.decision_file import DecisionFile, read_log
from scalptrack.review.decisions import Change
from scalptrack.review.store import ConflictError, Source
from scalptrack.study import decisions, schema
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.status import doubt_about
from scalptrack.study.store import StudyStore
from tests.test_schemas import DECIDED

PHOTO = "a" * 64


@pytest.fixture
def folder(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    assert invoke("init", tmp_path / "trial", "--manifest", manifest).exit_code == 0
    return tmp_path / "trial"


@contextmanager
def _raw(folder):
    """The file behind the program's back."""
    with closing(sqlite3.connect(folder / "study.sqlite")) as connection, connection:
        yield connection


def _note(after: str | None, before: str | None = None, photo: str = PHOTO) -> Change:
    return Change(("photo", photo, "note"), before, after)


def _decide_everything(store) -> None:
    for what, value in DECIDED:
        target = ("subject", "anna", what) if what == "events" else ("photo", PHOTO, what)
        held = store.read().decisions().get(target)
        store.decide("Dr. Grey", [Change(target, held.value if held else None, value)])
    store.undo("Dr. Black", len(DECIDED))


def test_every_kind_of_decision_comes_back_as_the_lines_of_a_file(folder, tmp_path):
    store = StudyDecisions(StudyStore(folder))
    _decide_everything(store)
    log = StudyDecisions(StudyStore(folder)).read()
    assert [each.number for each in log.entries] == [*range(1, len(DECIDED) + 2)]
    assert log.undone() == {len(DECIDED)}
    assert [problems_of(each.as_dict()) for each in log.entries] == [[]] * len(log.entries)
    path = tmp_path / "decisions.jsonl"
    assert DecisionFile(path).take("Me", Source("trial", log)) == len(log.entries)
    assert read_log(path) == log


def test_what_was_decided_elsewhere_comes_in_and_goes_out_with_the_same_bytes(folder, tmp_path):
    before, after = DecisionFile(tmp_path / "a.jsonl"), DecisionFile(tmp_path / "b.jsonl")
    _decide_everything(before)
    store = StudyStore(folder)
    here = StudyDecisions(store)
    assert here.take("Dr. White", Source("a.jsonl", before.read())) == len(DECIDED) + 1
    after.take("Dr. White", Source(here.name, here.read()))
    assert after.path.read_bytes() == before.path.read_bytes()
    line = store.log_lines()[-1]
    assert (line.who, line.action) == ("Dr. White", "decisions taken over")
    assert line.details == {
        "first_line": 1,
        "last_line": len(DECIDED) + 1,
        "source": "a.jsonl",
        "source_sha256": before.read().head,
        "decisions_sha256": before.read().head,
    }


def test_the_log_of_the_study_says_who_decided_on_what(folder):
    store = StudyStore(folder, who="somebody")
    here = StudyDecisions(store)
    here.decide("Dr. Grey", [_note("x"), Change(("subject", "s0", "events"), None, [])])
    here.undo("Dr. Black", 1)
    first, second = store.log_lines()[1:]
    assert (first.who, first.action) == ("Dr. Grey", "decide")
    assert first.details["line"] == 1
    assert first.details["changes"] == [
        {"photo": PHOTO, "what": "note", "decided": True},
        {"subject": "s0", "what": "events", "decided": True},
    ]
    assert (second.who, second.action, second.details["undoes"]) == ("Dr. Black", "undo", 1)
    assert [each["decided"] for each in second.details["changes"]] == [False, False]
    assert second.details["decisions_sha256"] == here.read().head


def test_another_decision_meanwhile_is_a_conflict(folder):
    one, other = (StudyDecisions(StudyStore(folder)) for _ in range(2))
    one.decide("A", [_note("of A")])
    with pytest.raises(ConflictError, match="A changed the note meanwhile"):
        other.decide("B", [_note("of B")])
    with pytest.raises(InputError, match="There is no line 7 in the decisions of trial"):
        other.undo("B", 7)
    assert len(one.read().entries) == 1


@pytest.mark.parametrize("table", ["decisions", "decision_changes"])
@pytest.mark.parametrize("command", ["UPDATE {} SET number = 2", "DELETE FROM {}"])
def test_decisions_can_only_grow(folder, table, command):
    StudyDecisions(StudyStore(folder)).decide("A", [_note("x")])
    with (
        _raw(folder) as connection,
        pytest.raises(sqlite3.IntegrityError, match="decisions of a study are append-only"),
    ):
        connection.execute(command.format(table))


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("UPDATE decision_changes SET after = '\"else\"' WHERE number = 2", 2),
        ("UPDATE decision_changes SET what = 'region' WHERE number = 2", 2),
        ("UPDATE decisions SET who = 'B' WHERE number = 1", 1),
        ("DELETE FROM decision_changes WHERE number = 3", 3),
        ("DELETE FROM decisions WHERE number = 3", 3),
        ("DELETE FROM decisions WHERE number = 1", 1),
    ],
)
def test_decisions_that_were_changed_behind_the_triggers_are_noticed(folder, command, number):
    here = StudyDecisions(StudyStore(folder))
    for text, before in (("one", None), ("two", "one"), ("three", "two")):
        here.decide("A", [_note(text, before)])
    with _raw(folder) as connection:
        for table in ("decisions", "decision_changes"):
            for event in ("update", "delete"):
                connection.execute(f"DROP TRIGGER {table}_no_{event}")
        connection.execute(command)
    with pytest.raises(InputError, match=f"The decisions of trial were changed at line {number}: "):
        here.read()
    with pytest.raises(InputError):
        here.decide("A", [_note("four", "three")])


def test_a_decision_and_its_line_of_the_log_are_stored_together_or_not_at_all(folder, monkeypatch):
    store = StudyStore(folder)

    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(decisions, "append_log", killed)
    with pytest.raises(KeyboardInterrupt):
        StudyDecisions(store).decide("A", [_note("x")])
    assert StudyDecisions(store).read().entries == ()
    assert [each.action for each in store.log_lines()] == ["init"]


TEN_DECISIONS = """
import sys
from pathlib import Path
from scalptrack.review.decisions import Change
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.store import StudyStore
store = StudyDecisions(StudyStore(Path(sys.argv[1])))
for i in range(10):
    store.decide("a", [Change(("photo", f"a{i:063d}", "note"), None, "x")])
"""


def test_two_processes_at_once_lose_nothing(folder):
    here, count = StudyDecisions(StudyStore(folder)), 0
    with subprocess.Popen([sys.executable, "-c", TEN_DECISIONS, str(folder)]) as other:
        while other.poll() is None or count < 10:
            here.decide("b", [_note("x", photo=f"b{count:063d}")])
            count += 1
            time.sleep(0.02)
    assert other.returncode == 0
    assert len(here.read().entries) == len(here.read().decisions()) == count + 10


def test_a_study_of_before_gets_the_tables_and_keeps_everything(tmp_path):
    store = make_trial(tmp_path, per_arm=1)
    before = [to_plain(each) for each in store.outcomes()], store.finished_series()
    lines = store.log_lines()
    store.close()
    with _raw(store.folder) as connection:
        connection.execute("DROP TABLE decision_changes")
        connection.execute("DROP TABLE decisions")
        connection.execute("ALTER TABLE series DROP COLUMN decisions")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    again = StudyStore(store.folder)
    assert ([to_plain(each) for each in again.outcomes()], again.finished_series()) == before
    assert again.log_lines() == lines
    assert doubt_about(again) == ""
    assert set(again.used_decisions().values()) == {()}
    assert StudyDecisions(again).decide("A", [_note("x")]).head
    engine = sa.create_engine(f"sqlite:///{store.folder}/study.sqlite", poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
