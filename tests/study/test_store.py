"""The database of a study: what it holds, and that its log can only grow."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from datetime import date

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from study.study_files import good_rows, invoke, write_manifest

from scalptrack.errors import InputError, OutputError
from scalptrack.records import (
    Finding,
    Gate,
    Measurement,
    Outcome,
    Quality,
    Reason,
    Settings,
    Severity,
    Status,
    Tier,
    ZoneMeasurement,
)
from scalptrack.study import schema
from scalptrack.study.store import AnalysisRow, StudyStore, create_study


@pytest.fixture
def made(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    result = invoke("init", tmp_path / "trial", "--manifest", manifest, "--by", "Dr Who")
    assert result.exit_code == 0, result.output
    return tmp_path / "trial"


@contextmanager
def _raw(folder):
    """The file behind the program's back."""
    with closing(sqlite3.connect(folder / "study.sqlite")) as connection, connection:
        yield connection


def test_init_says_what_it_made(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    result = invoke("init", tmp_path / "trial", "--manifest", manifest, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == "8 photographs of 2 subjects in 2 arms, 2 visits, 0 missing\n"
    document = json.loads(result.stdout)
    assert document["schema"] == "scalptrack.study.init/1"
    assert document["visits"] == ["visit 1", "visit 2"]
    assert document["covariates"] == ["age"]
    assert document["notes"] == []
    assert sorted(each.name for each in (tmp_path / "trial").iterdir()) == ["study.sqlite"]


def test_a_manifest_with_mistakes_makes_no_study(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows()[:6])
    result = invoke("init", tmp_path / "trial", "--manifest", manifest)
    assert result.exit_code == 2
    assert "manifest.csv has 1 mistake:" in result.stderr
    assert not (tmp_path / "trial").exists()


def test_a_study_is_never_replaced(made, tmp_path):
    manifest = tmp_path / "photos" / "manifest.csv"
    before = StudyStore(made).log_lines()
    result = invoke("init", made, "--manifest", manifest)
    assert result.exit_code == 2
    assert "holds a study already" in result.stderr
    assert StudyStore(made).log_lines() == before


def test_a_folder_without_a_study_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="scalptrack study init"):
        StudyStore(tmp_path)


def test_the_database_is_in_wal_mode_with_the_version_of_its_tables(made):
    with _raw(made) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("0002",)
        ]


def test_the_migrations_make_the_tables_that_the_program_uses(made):
    url = f"sqlite:///{made / 'study.sqlite'}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_a_database_of_a_newer_program_is_left_alone(made):
    with _raw(made) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError, match=r"made by a newer scalptrack \(tables 9999\)"):
        StudyStore(made)


@pytest.mark.parametrize("command", ["UPDATE audit SET who = 'me'", "DELETE FROM audit"])
def test_the_log_can_only_grow(made, command):
    with (
        _raw(made) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(command)


def test_a_log_that_was_changed_behind_the_triggers_is_noticed(made):
    store = StudyStore(made)
    store.log("note", {"text": "a"})
    store.log("note", {"text": "b"})
    assert [each.action for each in store.log_lines()] == ["init", "note", "note"]
    assert store.log_lines()[0].who == "Dr Who"
    with _raw(made) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE id = 2")
    with pytest.raises(InputError, match="changed at its line 3"):
        store.log_lines()


def test_an_outcome_comes_back_as_it_was(made):
    store = StudyStore(made)
    first, second = store.photographs()[:2]
    finding = Finding("dark", Severity.WARNING, 0.1, 0.2, "", "More light.")
    whole = Outcome(
        name=first.name,
        subject="s0",
        view="vertex",
        visit_date=date(2024, 1, 10),
        replicate=1,
        sha256=first.sha256,
        status=Status.MEASURED,
        reason=None,
        quality=Quality((finding,)),
        measurement=Measurement(1 / 3, 2, 0.1, 0.01, 0.02, (ZoneMeasurement("left", 0.1, 1),)),
        tier=Tier.B,
        residual_px=0.1 + 0.2,
        inliers=12,
        overlap=0.9,
        gates=(Gate("residual", 0.3, 6.0, True),),
        warnings=(finding,),
    )
    refused = Outcome(
        name=second.name,
        subject="s0",
        view="vertex",
        visit_date=date(2024, 1, 10),
        replicate=2,
        sha256=second.sha256,
        status=Status.REFUSED,
        reason=Reason("no_agreement", "Another person."),
    )
    store.save_series("s0", "vertex", "f", [whole, refused])
    assert store.outcomes() == (whole, refused)
    assert store.finished_series() == {("s0", "vertex"): "f"}


def test_a_series_is_stored_as_a_whole_or_not_at_all(made):
    store = StudyStore(made)
    first = store.photographs()[0]
    good = Outcome("a", "s0", "vertex", None, 1, first.sha256, Status.REFUSED, Reason("x", "X."))
    unknown = Outcome("b", "s0", "vertex", None, 1, "0" * 64, Status.REFUSED, Reason("x", "X."))
    with pytest.raises(sa.exc.NoResultFound):
        store.save_series("s0", "vertex", "f", [good, unknown])
    assert store.outcomes() == ()
    assert store.finished_series() == {}


def test_an_analysis_is_replaced_by_a_later_one(made):
    store = StudyStore(made)
    sha256 = store.photographs()[0].sha256
    store.save_analysis(sha256, AnalysisRow("f", "blurred", "Blurred."))
    store.save_analysis(sha256, AnalysisRow("g", "", ""))
    assert store.analyses() == {sha256: AnalysisRow("g", "", "")}


def test_a_folder_that_can_not_be_made_is_named(tmp_path, made):
    store = StudyStore(made)
    (tmp_path / "file").write_text("x")
    from scalptrack.study.design import StudyDesign

    design = StudyDesign(store.photographs(), ("v",), ("A",), ("vertex",), ())
    with pytest.raises(OutputError, match="can't be made"):
        create_study(
            tmp_path / "file" / "trial",
            design,
            manifest=tmp_path / "photos" / "manifest.csv",
            settings=Settings(),
        )


def test_without_the_extra_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("scalptrack.study.extra.find_spec", lambda name: None)
    result = invoke("init", tmp_path / "trial", "--manifest", tmp_path / "m.csv")
    assert result.exit_code == 2
    assert "needs sqlalchemy, alembic, pyarrow, statsmodels" in result.stderr
    assert "pip install 'scalptrack[study]'" in result.stderr


def test_a_damaged_database_is_named_and_left_alone(made):
    (made / "study.sqlite").write_bytes(b"garbage" * 1000)
    result = invoke("status", made)
    assert result.exit_code == 2
    assert "study.sqlite can't be used: file is not a database" in result.stderr
    assert (made / "study.sqlite").read_bytes() == b"garbage" * 1000
