"""The database of a study: one SQLite file in its folder, and a log that can only grow.

Every change is one transaction that begins with the lock for writing, so that two processes at
once wait for each other and a killed one leaves what was there before. The file is in WAL mode.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import alembic.script
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, select

from scalptrack.errors import InputError, OutputError
from scalptrack.plain import to_plain
from scalptrack.records import Outcome, Photograph, Settings
from scalptrack.study import schema
from scalptrack.study.design import MissingVisit, StudyDesign, StudyPhotograph
from scalptrack.study.outcomes import outcome_from_plain

DATABASE_NAME = "study.sqlite"
CACHE_FOLDER = "cache"
KEY_FOLDER = "keys"
LOCK_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: who did what, when; ``details`` is a JSON document."""

    at: str
    who: str
    action: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """What is stored of a photograph's own analysis; ``reason_code`` is empty when it is usable."""

    fingerprint: str
    reason_code: str
    reason: str


class StudyStore:
    """One study's database.

    Parameters
    ----------
    folder : Path
        The study's folder, made by `create_study`.
    who : str
        Who is working, for the log; the login name when it is empty.

    Raises
    ------
    InputError
        If the folder holds no study, or one that a newer scalptrack made.
    """

    def __init__(self, folder: Path, *, who: str = "") -> None:
        path = folder / DATABASE_NAME
        if not path.is_file():
            message = (
                f"{folder} holds no study. Make one: scalptrack study init {folder} --manifest FILE"
            )
            raise InputError(message)
        self.folder = folder
        self._who = who or _login_name()
        self._engine = _engine(path)
        weakref.finalize(self, self._engine.dispose)
        try:
            _migrate(self._engine, path)
        except sa.exc.DBAPIError as error:
            raise _database_error(path, error) from error
        rows = self._all(select(schema.study))
        if not rows:
            message = f"{path} is empty: `study init` was stopped before its end. Run it again."
            raise InputError(message)
        row = rows[0]
        self.photo_root = Path(row.photo_root)
        self.visits: tuple[str, ...] = tuple(row.visits)
        self.arms: tuple[str, ...] = tuple(row.arms)
        self.views: tuple[str, ...] = tuple(row.views)
        self.covariates: tuple[str, ...] = tuple(row.covariates)
        self.settings = Settings(**row.settings)
        self.manifest_sha256: str = row.manifest_sha256

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @property
    def cache_folder(self) -> Path:
        """Where analyses and registrations lie."""
        return self.folder / CACHE_FOLDER

    @property
    def key_folder(self) -> Path:
        """Where the keys of blinded packs lie."""
        return self.folder / KEY_FOLDER

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that holds the lock for writing.

        Raises
        ------
        OutputError
            If the database can't be written.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise _database_error(self.folder / DATABASE_NAME, error) from error

    def log(self, action: str, details: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        with self.writing() as connection:
            append_log(connection, self._who, action, details)

    def add_to_log(
        self, connection: sa.Connection, action: str, details: Mapping[str, Any]
    ) -> None:
        """Add a line to the log in a transaction that is open."""
        append_log(connection, self._who, action, details)

    def log_lines(self) -> tuple[LogLine, ...]:
        """The whole log, oldest line first.

        Raises
        ------
        InputError
            If a line was changed, taken out or put in by something else than scalptrack.
        """
        previous = ""
        lines = []
        for row in self._all(select(schema.audit).order_by(schema.audit.c.id)):
            if row.previous != previous or row.sha256 != _log_hash(
                row.previous, row.at, row.who, row.action, row.details
            ):
                message = (
                    f"The log of {self.folder} was changed at its line {row.id}: it no longer says "
                    "who decided what. Restore study.sqlite from a backup."
                )
                raise InputError(message)
            previous = row.sha256
            lines.append(LogLine(row.at, row.who, row.action, json.loads(row.details)))
        return tuple(lines)

    def photographs(self) -> tuple[StudyPhotograph, ...]:
        """All photographs by subject, view, date and replicate."""
        columns = schema.photographs.c
        order = (columns.subject, columns.view, columns.visit_date, columns.replicate)
        rows = self._all(select(schema.photographs).order_by(*order))
        found = [
            StudyPhotograph(**{key: value for key, value in row._mapping.items() if key != "id"})
            for row in rows
        ]
        return tuple(found)

    def as_photograph(self, each: StudyPhotograph) -> Photograph:
        """A photograph of the study as the pipeline takes it."""
        return Photograph(
            subject=each.subject,
            view=each.view,
            visit_date=each.visit_date,
            replicate=each.replicate,
            path=self.photo_root / each.name,
            name=each.name,
            sha256=each.sha256,
            width_px=0,
            height_px=0,
        )

    def missing_visits(self) -> tuple[MissingVisit, ...]:
        """Planned visits without a photograph."""
        rows = self._all(select(schema.missing_visits))
        return tuple(sorted(MissingVisit(row.subject, row.view, row.visit) for row in rows))

    def analyses(self) -> dict[str, AnalysisRow]:
        """What photographs said on their own, by SHA-256."""
        query = select(schema.photographs.c.sha256, schema.analyses).join(schema.analyses)
        return {
            row.sha256: AnalysisRow(row.fingerprint, row.reason_code, row.reason)
            for row in self._all(query)
        }

    def save_analysis(self, sha256: str, row: AnalysisRow) -> None:
        """Keep what a photograph said on its own."""
        with self.writing() as connection:
            number = _number_of(connection, sha256)
            connection.execute(
                sa.insert(schema.analyses)
                .prefix_with("OR REPLACE")
                .values(
                    photograph_id=number,
                    fingerprint=row.fingerprint,
                    reason_code=row.reason_code,
                    reason=row.reason,
                )
            )

    def finished_series(self) -> dict[tuple[str, str], str]:
        """Fingerprint of each subject and view whose outcomes are complete."""
        rows = self._all(select(schema.series))
        return {(row.subject, row.view): row.fingerprint for row in rows}

    def save_series(
        self, subject: str, view: str, fingerprint: str, outcomes: Sequence[Outcome]
    ) -> None:
        """Replace all outcomes of a subject and view; all of them or none."""
        with self.writing() as connection:
            for outcome in outcomes:
                connection.execute(
                    sa.insert(schema.outcomes)
                    .prefix_with("OR REPLACE")
                    .values(
                        photograph_id=_number_of(connection, outcome.sha256),
                        status=outcome.status.value,
                        record=to_plain(outcome),
                    )
                )
            connection.execute(
                sa.insert(schema.series)
                .prefix_with("OR REPLACE")
                .values(subject=subject, view=view, fingerprint=fingerprint)
            )

    def outcomes(self) -> tuple[Outcome, ...]:
        """Outcomes of all finished subjects and views, in the order of `photographs`."""
        columns = schema.photographs.c
        query = (
            select(schema.outcomes.c.record)
            .join(schema.photographs)
            .order_by(columns.subject, columns.view, columns.visit_date, columns.replicate)
        )
        return tuple(outcome_from_plain(row.record) for row in self._all(query))

    def add_pack(self, pack: str, view: str, visit: str, commitment: str) -> None:
        """Record a blinded pack, with the hash that its key must have."""
        with self.writing() as connection:
            connection.execute(
                sa.insert(schema.packs).values(
                    pack=pack, view=view, visit=visit, commitment=commitment
                )
            )
            details = {"pack": pack, "view": view, "visit": visit, "key_sha256": commitment}
            append_log(connection, self._who, "blind", details)

    def packs(self) -> dict[str, str]:
        """Hash of the key of every blinded pack."""
        return {row.pack: row.commitment for row in self._all(select(schema.packs))}

    def pack_places(self) -> dict[str, tuple[str, str]]:
        """View and visit of every blinded pack."""
        return {row.pack: (row.view, row.visit) for row in self._all(select(schema.packs))}

    def _all(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self.writing() as connection:
            return list(connection.execute(query))


def create_study(
    folder: Path,
    design: StudyDesign,
    *,
    manifest: Path,
    settings: Settings,
    who: str = "",
) -> StudyStore:
    """Make the folder and the database of a study.

    Raises
    ------
    OutputError
        If there is a study already, or the folder can't be written.
    """
    path = folder / DATABASE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest_sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        message = f"{folder} can't be made: {error.strerror or error}. Choose another folder."
        raise OutputError(message) from error
    engine = _engine(path)
    try:
        _migrate(engine, path)
        with engine.begin() as connection:
            if connection.execute(select(schema.study)).all():
                message = (
                    f"{folder} holds a study already. Choose another folder; a study is never "
                    "replaced."
                )
                raise OutputError(message)
            _fill(connection, design, manifest.resolve(), manifest_sha256, settings)
            details = {
                "manifest": manifest.name,
                "manifest_sha256": manifest_sha256,
                "photographs": len(design.photographs),
                "visits": list(design.visits),
                "missing_visits_allowed": len(design.missing),
            }
            append_log(connection, who or _login_name(), "init", details)
    except sa.exc.DBAPIError as error:
        raise _database_error(path, error) from error
    finally:
        engine.dispose()
    return StudyStore(folder, who=who)


def _fill(
    connection: sa.Connection,
    design: StudyDesign,
    manifest: Path,
    manifest_sha256: str,
    settings: Settings,
) -> None:
    """Write the catalogue of a new study."""
    connection.execute(
        sa.insert(schema.study).values(
            id=1,
            photo_root=str(manifest.parent),
            manifest=manifest.name,
            manifest_sha256=manifest_sha256,
            visits=list(design.visits),
            arms=list(design.arms),
            views=list(design.views),
            covariates=list(design.covariates),
            settings=to_plain(settings),
        )
    )
    rows = [to_plain(each) | {"visit_date": each.visit_date} for each in design.photographs]
    connection.execute(sa.insert(schema.photographs), rows)
    if design.missing:
        connection.execute(
            sa.insert(schema.missing_visits), [to_plain(each) for each in design.missing]
        )


def append_log(
    connection: sa.Connection, who: str, action: str, details: Mapping[str, Any]
) -> None:
    """Add a line to the log; it holds the hash of the line before, so none can be taken out."""
    last = connection.execute(
        select(schema.audit.c.sha256).order_by(schema.audit.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    previous = last or ""
    at = datetime.now(tz=UTC).isoformat(timespec="seconds")
    text = json.dumps(to_plain(dict(details)), sort_keys=True, ensure_ascii=False)
    connection.execute(
        sa.insert(schema.audit).values(
            at=at,
            who=who,
            action=action,
            details=text,
            previous=previous,
            sha256=_log_hash(previous, at, who, action, text),
        )
    )


def _log_hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _number_of(connection: sa.Connection, sha256: str) -> int:
    query = select(schema.photographs.c.id).where(schema.photographs.c.sha256 == sha256)
    return int(connection.execute(query).scalar_one())


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _engine(path: Path) -> sa.Engine:
    """Engine whose transactions take the lock for writing at once, so that none fails halfway."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": LOCK_WAIT_S})

    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _on_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: sa.Engine, path: Path) -> None:
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
        message = f"{path} was made by a newer scalptrack (tables {current}). Update scalptrack."
        raise InputError(message)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def _database_error(path: Path, error: sa.exc.DBAPIError) -> OutputError:
    return OutputError(
        f"{path} can't be used: {error.orig}. Check the folder's permissions and the space on the "
        "disk; nothing that was stored before is lost."
    )
