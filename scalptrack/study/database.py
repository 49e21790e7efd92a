"""Where the tables of a study lie: one SQLite file in its folder, or a PostgreSQL database by URL.

In both every transaction begins with one lock for writing, so that two processes at once wait for
each other, and a process that is killed leaves what was there before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import alembic.script
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from scalptrack.errors import InputError, OutputError
from scalptrack.images import write_bytes_atomic
from scalptrack.study.extra import DATABASE_NAME, POINTER_NAME
from scalptrack.translation import marked, tr

POINTER_SCHEMA = "scalptrack.study.database/1"
LOCK_WAIT_S = 60.0
CONNECT_WAIT_S = 15
ADVISORY_LOCK = 7_225_875
"""Number of the lock that PostgreSQL's transactions wait for; any number that nobody else uses."""

INSTALL = "pip install 'scalptrack[study,postgresql]'"


@dataclass(frozen=True, slots=True)
class Database:
    """One database.

    Attributes
    ----------
    url : sqlalchemy.URL
        Without a password.
    label : str
        What messages call it.
    advice : str
        What to check when it can't be used; English, translated where it is said.
    pointer : Path or None
        File in the study's folder that says where the database is; None for SQLite.
    """

    url: sa.URL
    label: str
    advice: str
    pointer: Path | None = None

    def error(self, error: sa.exc.DBAPIError) -> OutputError:
        """What to say when the database can't be used."""
        cause = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        return OutputError(
            tr(
                "{database} can't be used: {cause}. {advice}; nothing that was stored before is "
                "lost.",
                database=self.label,
                cause=cause.rstrip("."),
                advice=tr(self.advice),
            )
        )

    def engine(self) -> sa.Engine:
        """Engine whose transactions take the lock for writing at once."""
        if self.pointer is None:
            engine = sa.create_engine(self.url, connect_args={"timeout": LOCK_WAIT_S})
            event.listen(engine, "connect", _on_sqlite_connect)
            event.listen(engine, "begin", _on_sqlite_begin)
            return engine
        engine = sa.create_engine(
            self.url,
            pool_size=1,
            max_overflow=1,
            # Minutes pass between two results: a connection that was dropped meanwhile is renewed.
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_WAIT_S},
        )
        event.listen(engine, "begin", _on_postgresql_begin)
        return engine

    def write_pointer(self) -> None:
        """Say in the study's folder where its database is."""
        if self.pointer is not None:
            document = {"schema": POINTER_SCHEMA, "url": self.url.render_as_string()}
            write_bytes_atomic(self.pointer, (json.dumps(document, indent=1) + "\n").encode())


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _on_sqlite_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _on_postgresql_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S:.0f}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")


def _sqlite(folder: Path) -> Database:
    path = folder / DATABASE_NAME
    advice = marked("Check the folder's permissions and the space on the disk")
    return Database(sa.URL.create("sqlite", database=str(path)), str(path), advice)


def _postgresql(folder: Path, url: str) -> Database:
    """The database at a URL.

    Raises
    ------
    InputError
        If the URL is none of PostgreSQL, holds a password, or the driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        message = f"{url} is no URL of a database. Give postgresql://USER@HOST/DATABASE."
        raise InputError(message) from error
    if parsed.get_backend_name() != "postgresql":
        message = (
            f"{parsed.render_as_string()} is no PostgreSQL database. Give "
            "postgresql://USER@HOST/DATABASE, or leave --database out for a file in the folder."
        )
        raise InputError(message)
    if parsed.password is not None or "password" in parsed.query:
        message = (
            "The URL of the database holds a password, which everybody who sees the study's folder "
            "could read. Put it into the password file of PostgreSQL (~/.pgpass), or into the "
            "variable PGPASSWORD."
        )
        raise InputError(message)
    if find_spec("psycopg") is None:
        message = f"--database needs psycopg, which is not installed. Install it with: {INSTALL}"
        raise InputError(message)
    parsed = parsed.set(drivername="postgresql+psycopg")
    label = f"The database {parsed.set(drivername='postgresql').render_as_string()}"
    advice = marked("Check that its server runs, and that you may write there")
    return Database(parsed, label, advice, folder / POINTER_NAME)


def new_database(folder: Path, url: str) -> Database:
    """The database for a study that is to be made; a file in the folder where the URL is empty.

    Raises
    ------
    InputError
        If the URL can't be used.
    OutputError
        If the folder holds a study elsewhere already.
    """
    found = _postgresql(folder, url) if url else _sqlite(folder)
    pointer = folder / POINTER_NAME
    taken = (folder / DATABASE_NAME).exists() if url else pointer.exists()
    if taken or (url and pointer.exists() and _read_pointer(pointer) != found.url):
        message = (
            f"{folder} holds a study already, in another database. Choose another folder; a study "
            "is never replaced."
        )
        raise OutputError(message)
    return found


def open_database(folder: Path) -> Database:
    """The database of the study in a folder.

    Raises
    ------
    InputError
        If the folder holds no study.
    """
    if (folder / DATABASE_NAME).is_file():
        return _sqlite(folder)
    pointer = folder / POINTER_NAME
    if pointer.is_file():
        return _postgresql(folder, _read_pointer(pointer).render_as_string())
    message = f"{folder} holds no study. Make one: scalptrack study init {folder} --manifest FILE"
    raise InputError(message)


def _read_pointer(path: Path) -> sa.URL:
    try:
        return sa.make_url(json.loads(path.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError, sa.exc.ArgumentError) as error:
        message = f"{path} doesn't say where the study's database is. Restore it from a backup."
        raise InputError(message) from error


def migrate(engine: sa.Engine, label: str) -> None:
    """Bring the tables to this program's version.

    Raises
    ------
    InputError
        If a newer scalptrack made them.
    """
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    scripts = alembic.script.ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {each.revision for each in scripts.walk_revisions()}:
        message = f"{label} was made by a newer scalptrack (tables {current}). Update scalptrack."
        raise InputError(message)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
