"""The log of a study: who decided what and when. It can only grow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from scalptrack.errors import InputError
from scalptrack.plain import to_plain
from scalptrack.study import schema


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: who did what, when; ``details`` is a JSON document."""

    at: str
    who: str
    action: str
    details: dict[str, Any]


def log_query() -> sa.Select[Any]:
    """All rows of the log, oldest first."""
    return select(schema.audit).order_by(schema.audit.c.id)


def checked_lines(rows: Iterable[Any], folder: Path) -> tuple[LogLine, ...]:
    """The lines of the log.

    Parameters
    ----------
    rows : iterable of rows
        Those of `log_query`.
    folder : Path
        The study's folder, for the message.

    Raises
    ------
    InputError
        If a line was changed, taken out or put in by something else than scalptrack.
    """
    previous = ""
    lines = []
    for row in rows:
        if row.previous != previous or row.sha256 != _log_hash(
            row.previous, row.at, row.who, row.action, row.details
        ):
            message = (
                f"The log of {folder} was changed at its line {row.id}: it no longer says "
                "who decided what. Restore its database from a backup."
            )
            raise InputError(message)
        previous = row.sha256
        lines.append(LogLine(row.at, row.who, row.action, json.loads(row.details)))
    return tuple(lines)


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
