"""The user's decisions in the database of a study: the lines that `review` keeps, as rows.

Each is also a line of the study's own log. What was decided and the line about it are one
transaction, and a line of the log holds the hash of the last decision, so that neither can be cut
short behind the other's back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from scalptrack.errors import InputError
from scalptrack.review.log import DecisionLog, Entry, checked_log
from scalptrack.review.store import Addition, DecisionStore, Pen
from scalptrack.study import schema
from scalptrack.study.audit import append_log
from scalptrack.study.store import StudyStore
from scalptrack.translation import tr
from scalptrack.wording import sentence_case

TAKEN_OVER = "decisions taken over"
LOGGED_AS = ("decide", "undo", TAKEN_OVER)
"""Actions of the study's log that are about decisions."""

COLUMNS = tuple(each.name for each in schema.decisions.columns)


class StudyDecisions(DecisionStore):
    """Decisions of a study.

    Parameters
    ----------
    store : StudyStore
        The study.
    """

    def __init__(self, store: StudyStore) -> None:
        name = tr("the decisions of {study}", study=store.folder.resolve().name)
        super().__init__(name, store.database_label)
        self._store = store

    def read(self) -> DecisionLog:
        """The log as it is now (see `DecisionStore.read`)."""
        with self._writing() as pen:
            return pen.read()

    @contextmanager
    def _writing(self) -> Iterator[Pen]:
        with self._store.writing() as connection:
            yield _Rows(connection, self.name)


@dataclass(frozen=True, slots=True)
class _Rows(Pen):
    """The tables in a transaction that is open."""

    connection: sa.Connection
    name: str

    def read(self) -> DecisionLog:
        changes = self._all(
            select(schema.decision_changes).order_by(
                schema.decision_changes.c.number, schema.decision_changes.c.position
            )
        )
        by_line = {
            number: list(rows) for number, rows in groupby(changes, key=lambda row: row.number)
        }
        lines = self._all(select(schema.decisions).order_by(schema.decisions.c.number))
        log = checked_log(self._entries(lines, by_line), self._broken)
        if log.head != self._logged_head():
            raise self._broken(len(log.entries) + 1)
        return log

    def _entries(self, lines: Iterable[Any], changes: Mapping[int, list[Any]]) -> Iterator[Entry]:
        for number, row in enumerate(lines, start=1):
            values = dict(row._mapping) | {
                "changes": list(map(_change, changes.get(row.number, ())))
            }
            try:
                yield Entry.from_dict(values)
            except (InputError, KeyError, TypeError) as error:
                raise self._broken(number) from error

    def _logged_head(self) -> str:
        """Hash of the last decision, as the study's log has it; empty when there is none."""
        query = select(schema.audit.c.details).where(schema.audit.c.action.in_(LOGGED_AS))
        last = query.order_by(schema.audit.c.id.desc()).limit(1)
        details = self.connection.execute(last).scalar_one_or_none()
        return str(json.loads(details)["decisions_sha256"]) if details else ""

    def add(self, addition: Addition) -> None:
        for entry in addition.entries:
            values = {name: getattr(entry, name) for name in COLUMNS}
            self.connection.execute(sa.insert(schema.decisions).values(values))
            rows = [
                {"photo": None, "subject": None, "number": entry.number, "position": position}
                | each.as_dict()
                for position, each in enumerate(entry.changes)
            ]
            self.connection.execute(sa.insert(schema.decision_changes), rows)
        append_log(self.connection, addition.who, *_logged(addition))

    def _all(self, query: sa.Select[Any]) -> list[Any]:
        return list(self.connection.execute(query))

    def _broken(self, number: int) -> InputError:
        return InputError(
            tr(
                "{name} were changed at line {number}: they no longer say who decided what. "
                "Restore the study's database from a backup.",
                name=sentence_case(self.name),
                number=number,
            )
        )


def _change(row: Any) -> dict[str, Any]:
    """A change as it stands in the file."""
    target = {"photo": row.photo} if row.photo is not None else {"subject": row.subject}
    return target | {"what": row.what, "before": row.before, "after": row.after}


def _logged(addition: Addition) -> tuple[str, dict[str, Any]]:
    """Action and details of the line that the study's log gets."""
    entries = addition.entries
    head = {"decisions_sha256": addition.grown.head}
    if addition.source is not None:
        lines = {"first_line": entries[0].number, "last_line": entries[-1].number}
        source = {"source": addition.source.name, "source_sha256": addition.source.log.head}
        return TAKEN_OVER, lines | source | head
    (entry,) = entries
    targets = [_target(*each.target, decided=each.after is not None) for each in entry.changes]
    undoes = {} if entry.undoes is None else {"undoes": entry.undoes}
    return entry.action, {"line": entry.number, "changes": targets} | undoes | head


def _target(kind: str, name: str, what: str, *, decided: bool) -> dict[str, Any]:
    return {kind: name, "what": what, "decided": decided}
