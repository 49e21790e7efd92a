"""A study in a PostgreSQL database: the same as in a file, and refusals that say what to do.

Runs a server of its own where PostgreSQL is installed; ``.ci/run`` installs it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from study.study_files import good_rows, invoke, write_manifest
from study.trial import make_trial

from scalptrack.errors import InputError, OutputError
from scalptrack.review.decision_file import DecisionFile
from scalptrack.review.decisions import Change
from scalptrack.review.store import Source
from scalptrack.study import schema
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.store import StudyStore

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")
SERVER_USER = "postgres"


def _programs() -> Path | None:
    """Folder of PostgreSQL's programs, of the newest one that is installed."""
    if (there := shutil.which("pg_ctl")) and shutil.which("initdb"):
        return Path(there).parent
    found = sorted(path.parent for place in PLACES for path in Path(place).glob("**/bin/pg_ctl"))
    return found[-1] if found else None


PROGRAMS = _programs()
needs_server = pytest.mark.skipif(
    PROGRAMS is None, reason="PostgreSQL isn't installed (apt-get install postgresql)"
)


@pytest.fixture(scope="module")
def server():
    """A server without any network, in a folder of its own; gives the folder of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="scalptrack-pg-"))
    as_user: list[str] = []
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        shutil.chown(folder, SERVER_USER)
        as_user = ["runuser", "-u", SERVER_USER, "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(PROGRAMS / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    run("initdb", "-A", "trust", "-U", "scalptrack", "--no-sync", "--locale", "C", "-E", "UTF8")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
    run("pg_ctl", "-o", options, "-l", str(folder / "log"), "-w", "start")
    yield folder
    run("pg_ctl", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server, request):
    """URL of an empty database in a language that sorts names without regard of case."""
    admin = sa.create_engine(
        f"postgresql+psycopg://scalptrack@/postgres?host={server}",
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )
    name = f"t{abs(hash(request.node.name)) % 10**8}"
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
        )
    return f"postgresql://scalptrack@/{name}?host={server}"


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("sql:", "sql+psycopg:", 1), poolclass=sa.NullPool)


@needs_server
def test_the_tables_of_a_trial_have_the_same_bytes_as_from_a_file(url, tmp_path):
    one = make_trial(tmp_path / "file", per_arm=3)
    other = make_trial(tmp_path / "server", per_arm=3, database_url=url)
    assert not (other.folder / "study.sqlite").exists()
    exports = []
    for store in (one, other):
        out = tmp_path / f"{store.folder.parent.name}-tables"
        fhir = out.with_suffix(".json")
        assert invoke("export", store.folder, "--out", out, "--fhir", fhir).exit_code == 0
        files = {path.name: path.read_bytes() for path in out.glob("[!.]*")}
        exports.append(files | {"fhir": fhir.read_bytes()})
    assert exports[0] == exports[1]
    assert one.outcomes() == other.outcomes()
    other.close()


@needs_server
def test_names_are_sorted_as_in_a_file_whatever_the_language(url, tmp_path):
    rows = [(f"{s}.jpg", s, "vertex", "2024-01-10", "1", "A", "", "") for s in ("b", "C", "a", "Ä")]
    manifest = write_manifest(tmp_path / "photos", rows)
    options = ("--manifest", manifest, "--database", url)
    made = invoke("init", tmp_path / "trial", *options)
    assert made.exit_code == 0, made.output
    store = StudyStore(tmp_path / "trial")
    with _engine(url).connect() as connection:
        theirs = connection.exec_driver_sql("SELECT subject FROM photographs ORDER BY subject")
        assert [row.subject for row in theirs] == ["a", "Ä", "b", "C"]
    assert [each.subject for each in store.photographs()] == ["C", "a", "b", "Ä"]
    document = json.loads((tmp_path / "trial" / "database.json").read_text())
    assert document["schema"] == "scalptrack.study.database/1"
    store.close()


@needs_server
def test_the_log_can_only_grow_and_the_migrations_make_the_tables(url, tmp_path):
    store = make_trial(tmp_path, per_arm=1, database_url=url)
    store.log("note", {"text": "a"})
    for command in ("UPDATE audit SET who = 'me'", "DELETE FROM audit", "TRUNCATE audit"):
        with (
            _engine(url).begin() as connection,
            pytest.raises(sa.exc.DBAPIError, match="append-only"),
        ):
            connection.exec_driver_sql(command)
    assert [each.action for each in store.log_lines()] == ["init", "note"]
    with _engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    store.close()


@needs_server
def test_decisions_are_the_same_lines_and_can_only_grow(url, tmp_path):
    store = make_trial(tmp_path, per_arm=1, database_url=url)
    here, file = StudyDecisions(store), DecisionFile(tmp_path / "a.jsonl")
    region = {"polygons": [[[1.25, 2.0], [30.0, 2.5], [20.0, 40.01]]]}
    file.decide("Dr. Grey", [Change(("photo", "a" * 64, "region"), None, region)])
    file.undo("Dr. Grey", 1)
    here.take("Dr. Grey", Source("a.jsonl", file.read()))
    assert here.read() == file.read()
    for command in (
        "UPDATE decisions SET who = 'me'",
        "UPDATE decision_changes SET what = 'note'",
        "DELETE FROM decisions",
        "DELETE FROM decision_changes",
        "TRUNCATE decisions CASCADE",
        "TRUNCATE decision_changes",
    ):
        with (
            _engine(url).begin() as connection,
            pytest.raises(sa.exc.DBAPIError, match="decisions of a study are append-only"),
        ):
            connection.exec_driver_sql(command)
    store.close()


@needs_server
def test_writers_at_the_same_time_wait_for_each_other(url, tmp_path):
    """Without the lock two of them would read the same last line and break the log's chain."""
    store = make_trial(tmp_path, per_arm=1, database_url=url)
    stores = [StudyStore(store.folder) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: [each.log("note", {"n": n}) for n in range(10)], stores))
    assert len(store.log_lines()) == 41
    for each in (store, *stores):
        each.close()


@needs_server
def test_a_database_with_a_study_takes_no_second_one(url, tmp_path):
    make_trial(tmp_path / "one", per_arm=1, database_url=url).close()
    with pytest.raises(OutputError, match="holds a study already"):
        make_trial(tmp_path / "two", per_arm=1, database_url=url)
    assert list((tmp_path / "two" / "trial").iterdir()) == []


def test_a_server_that_does_not_answer_is_named(tmp_path):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    url = f"postgresql://me@/trial?host={tmp_path}"
    result = invoke("init", tmp_path / "trial", "--manifest", manifest, "--database", url)
    assert result.exit_code == 2
    assert "can't be used: " in result.stderr
    assert "Check that its server runs, and that you may write there" in result.stderr
    assert not (tmp_path / "trial" / "database.json").exists()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://me:secret@host/trial", "holds a password"),
        ("postgresql://me@host/trial?password=secret", "holds a password"),
        ("mysql://me@host/trial", "mysql://me@host/trial is no PostgreSQL database."),
        ("trial", "trial is no URL of a database."),
    ],
)
def test_a_url_that_can_not_be_used_is_refused(tmp_path, url, text):
    manifest = write_manifest(tmp_path / "photos", good_rows())
    result = invoke("init", tmp_path / "trial", "--manifest", manifest, "--database", url)
    assert result.exit_code == 2
    assert text in result.stderr
    assert "secret" not in result.stderr
    assert not (tmp_path / "trial").exists()


def test_without_the_driver_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("scalptrack.study.database.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'scalptrack\[study,postgresql\]'"):
        make_trial(tmp_path, per_arm=1, database_url="postgresql://me@host/trial")


def test_a_folder_with_a_file_gets_no_database_and_a_broken_pointer_is_named(tmp_path):
    store = make_trial(tmp_path, per_arm=1)
    store.close()
    with pytest.raises(OutputError, match="holds a study already, in another database"):
        make_trial(tmp_path, per_arm=1, database_url="postgresql://me@host/trial")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "database.json").write_text("{}")
    with pytest.raises(InputError, match="doesn't say where the study's database is"):
        StudyStore(tmp_path / "other")
