"""What the database of a study holds, and a log that can only grow.

Every change is one transaction; `scalptrack.study.database` says where it goes.
"""

from __future__ import annotations

import getpass
import hashlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from scalptrack.errors import InputError, OutputError
from scalptrack.plain import to_plain
from scalptrack.records import Outcome, Photograph, Settings
from scalptrack.study import schema
from scalptrack.study.addresses import PhotoRoot
from scalptrack.study.audit import LogLine, append_log, checked_lines, log_query
from scalptrack.study.content import COPIES_FOLDER, copy_path
from scalptrack.study.database import Database, migrate, new_database, open_database
from scalptrack.study.design import MissingVisit, StudyDesign, StudyPhotograph
from scalptrack.study.outcomes import outcome_from_plain

CACHE_FOLDER = "cache"
KEY_FOLDER = "keys"


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
    photos : PhotoRoot, optional
        Where the names of photographs begin now; as in the study when not given.

    Raises
    ------
    InputError
        If the folder holds no study, or one that a newer scalptrack made.
    """

    def __init__(self, folder: Path, *, who: str = "", photos: PhotoRoot | None = None) -> None:
        self._database = open_database(folder)
        self.folder = folder
        self._who = who or _login_name()
        self._engine = self._database.engine()
        weakref.finalize(self, self._engine.dispose)
        label = self._database.label
        try:
            migrate(self._engine, label)
        except sa.exc.DBAPIError as error:
            raise self._database.error(error) from error
        rows = self._all(select(schema.study))
        if not rows:
            message = f"{label} is empty: `study init` was stopped before its end. Run it again."
            raise InputError(message)
        row = rows[0]
        self.photo_root = photos or PhotoRoot(row.photo_root)
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
    def database_label(self) -> str:
        """What messages call the database: its path, or its URL."""
        return self._database.label

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
            raise self._database.error(error) from error

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
        return checked_lines(self._all(log_query()), self.folder)

    def photographs(self) -> tuple[StudyPhotograph, ...]:
        """All photographs by subject, view, date and replicate."""
        found = [
            StudyPhotograph(**{key: value for key, value in row._mapping.items() if key != "id"})
            for row in self._all(select(schema.photographs))
        ]
        return tuple(sorted(found, key=_place))

    def as_photograph(self, each: StudyPhotograph) -> Photograph:
        """A photograph of the study as the pipeline takes it; of one at a URL its copy here."""
        path = self.photo_root.path_of(each.name)
        if self.photo_root.url_of(each.name) is not None:
            path = copy_path(copies_folder(self.folder.resolve()), each.name, each.sha256)
        return Photograph(
            subject=each.subject,
            view=each.view,
            visit_date=each.visit_date,
            replicate=each.replicate,
            path=path,
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
            _replace(
                connection,
                schema.analyses,
                {"photograph_id": _number_of(connection, sha256)},
                {
                    "fingerprint": row.fingerprint,
                    "reason_code": row.reason_code,
                    "reason": row.reason,
                },
            )

    def finished_series(self) -> dict[tuple[str, str], str]:
        """Fingerprint of each subject and view whose outcomes are complete."""
        rows = self._all(select(schema.series))
        return {(row.subject, row.view): row.fingerprint for row in rows}

    def used_decisions(self) -> dict[tuple[str, str], tuple[dict[str, Any], ...]]:
        """Decisions that the outcomes of each finished subject and view were made with."""
        rows = self._all(select(schema.series))
        return {(row.subject, row.view): tuple(row.decisions) for row in rows}

    def save_series(
        self,
        subject: str,
        view: str,
        fingerprint: str,
        outcomes: Sequence[Outcome],
        *,
        decisions: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Replace all outcomes of a subject and view; all of them or none.

        Parameters
        ----------
        subject, view : str
            Whose outcomes.
        fingerprint : str
            What decided them.
        outcomes : sequence of Outcome
            One for each photograph.
        decisions : sequence of dict
            Decisions that they were made with, as plain values.

        Raises
        ------
        OutputError
            If the database can't be written.
        """
        with self.writing() as connection:
            for outcome in outcomes:
                _replace(
                    connection,
                    schema.outcomes,
                    {"photograph_id": _number_of(connection, outcome.sha256)},
                    {"status": outcome.status.value, "record": to_plain(outcome)},
                )
            key = {"subject": subject, "view": view}
            values = {"fingerprint": fingerprint, "decisions": list(decisions)}
            _replace(connection, schema.series, key, values)

    def outcomes(self) -> tuple[Outcome, ...]:
        """Outcomes of all finished subjects and views, in the order of `photographs`."""
        columns = schema.photographs.c
        query = select(
            schema.outcomes.c.record,
            columns.subject,
            columns.view,
            columns.visit_date,
            columns.replicate,
        ).join(schema.photographs)
        rows = sorted(self._all(query), key=_place)
        return tuple(outcome_from_plain(row.record) for row in rows)

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
        rows = sorted(self._all(select(schema.packs)), key=lambda row: row.pack)
        return {row.pack: row.commitment for row in rows}

    def pack_places(self) -> dict[str, tuple[str, str]]:
        """View and visit of every blinded pack."""
        rows = sorted(self._all(select(schema.packs)), key=lambda row: row.pack)
        return {row.pack: (row.view, row.visit) for row in rows}

    def _all(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self.writing() as connection:
            return list(connection.execute(query))


def copies_folder(folder: Path) -> Path:
    """Where a study keeps copies of photographs that lie at URLs."""
    return folder / CACHE_FOLDER / COPIES_FOLDER


def create_study(
    folder: Path,
    design: StudyDesign,
    *,
    manifest: Path,
    settings: Settings,
    who: str = "",
    database_url: str = "",
) -> StudyStore:
    """Make the folder and the database of a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    design : StudyDesign
        What the manifest says.
    manifest : Path
        The manifest that the design comes from.
    settings : Settings
        Everything that decides a result.
    who : str
        Who makes the study, for the log; the login name when it is empty.
    database_url : str
        Of a PostgreSQL database; a SQLite file in the folder when it is empty.

    Raises
    ------
    InputError
        If the URL can't be used.
    OutputError
        If there is a study already, or the folder or the database can't be written.
    """
    database = new_database(folder, database_url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest_sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        message = f"{folder} can't be made: {error.strerror or error}. Choose another folder."
        raise OutputError(message) from error
    engine = database.engine()
    try:
        migrate(engine, database.label)
        with engine.begin() as connection:
            _require_empty(connection, folder, database)
            _fill(connection, design, manifest.resolve(), manifest_sha256, settings)
            details = {
                "manifest": manifest.name,
                "manifest_sha256": manifest_sha256,
                "photographs": len(design.photographs),
                "photo_root": design.photo_root,
                "visits": list(design.visits),
                "missing_visits_allowed": len(design.missing),
            }
            append_log(connection, who or _login_name(), "init", details)
            database.write_pointer()
    except sa.exc.DBAPIError as error:
        raise database.error(error) from error
    finally:
        engine.dispose()
    return StudyStore(folder, who=who)


def _require_empty(connection: sa.Connection, folder: Path, database: Database) -> None:
    """Refuse to put a second study where there is one."""
    if connection.execute(select(schema.study)).all():
        place = folder if database.pointer is None else database.label
        message = f"{place} holds a study already. Choose another one; a study is never replaced."
        raise OutputError(message)


def _replace(
    connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]
) -> None:
    """Put a row in the place of the one with the same key, if there is one."""
    same = [table.c[name] == value for name, value in key.items()]
    connection.execute(sa.delete(table).where(*same))
    connection.execute(sa.insert(table).values(**key, **values))


def _place(row: Any) -> tuple[str, str, date, int]:
    """Sorts photographs alike on every database, whatever its language."""
    return row.subject, row.view, row.visit_date, row.replicate


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
            photo_root=design.photo_root or str(manifest.parent),
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


def _number_of(connection: sa.Connection, sha256: str) -> int:
    query = select(schema.photographs.c.id).where(schema.photographs.c.sha256 == sha256)
    return int(connection.execute(query).scalar_one())


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
