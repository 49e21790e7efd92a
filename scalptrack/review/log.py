"""The file of decisions: one line for each change, and each line holds the hash of the one before.

The decisions are what the lines say one after the other; nothing else is stored, so that decisions
and log can't contradict each other. A line is never changed and never taken out: taking something
back is another line. The file is replaced as a whole under a lock, so that nobody sees half a line
and two processes wait for each other.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from scalptrack.errors import InputError, OutputError
from scalptrack.images import write_bytes_atomic
from scalptrack.review.decisions import Change, Target, text_of

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

DECISIONS_NAME = "decisions.jsonl"
SCHEMA = "scalptrack.decisions/1"
MAX_NAME = 80


class ConflictError(InputError):
    """Somebody else decided on the same thing meanwhile."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Attributes
    ----------
    number : int
        From 1.
    at : str
        UTC, ISO 8601, in seconds.
    who : str
        The reviewer.
    action : str
        ``"decide"`` or ``"undo"``.
    changes : tuple of Change
        Made together, or not at all.
    undoes : int or None
        Number of the line that an ``"undo"`` takes back.
    previous, sha256 : str
        Hash of the line before (empty for the first), and of this one.
    """

    number: int
    at: str
    who: str
    action: str
    changes: tuple[Change, ...]
    undoes: int | None
    previous: str
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return _plain(self) | {"sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds now for one target, and which line says so."""

    value: Any
    who: str
    at: str
    number: int


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """All lines of a file, checked.

    Attributes
    ----------
    entries : tuple of Entry
        Oldest first.
    """

    entries: tuple[Entry, ...] = ()

    @property
    def head(self) -> str:
        """Hash of the last line, which stands for the whole log; empty when there is none."""
        return self.entries[-1].sha256 if self.entries else ""

    def decisions(self) -> dict[Target, Decision]:
        """What holds now; what was taken back is not in it."""
        found: dict[Target, Decision] = {}
        for entry in self.entries:
            for change in entry.changes:
                found.pop(change.target, None)
                if change.after is not None:
                    found[change.target] = Decision(change.after, entry.who, entry.at, entry.number)
        return found

    def undone(self) -> frozenset[int]:
        """Numbers of the lines that a later line took back (and which wasn't taken back itself)."""
        gone: set[int] = set()
        for entry in reversed(self.entries):
            if entry.undoes is not None and entry.number not in gone:
                gone.add(entry.undoes)
        return frozenset(gone)


def read_log(path: Path) -> DecisionLog:
    """Every line of a file of decisions; a file that isn't there holds none.

    Raises
    ------
    InputError
        If a line was changed, taken out or put in by something else than scalptrack.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return DecisionLog()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} can't be read: {error}. Restore it from a backup, or move it away."
        raise InputError(msg) from error
    entries: list[Entry] = []
    before: dict[Target, Any] = {}
    for line in text.splitlines():
        entries.append(_read_line(path, line, entries))
        for change in entries[-1].changes:
            if before.get(change.target) != change.before:
                raise _broken(path, len(entries))
            before[change.target] = change.after
    if text and not text.endswith("\n"):
        raise _broken(path, len(entries))
    return DecisionLog(tuple(entries))


def _read_line(path: Path, line: str, before: Sequence[Entry]) -> Entry:
    number = len(before) + 1
    previous = before[-1].sha256 if before else ""
    try:
        values = json.loads(line)
        if values["schema"] != SCHEMA:
            msg = (
                f"{path} has the schema {values['schema']!r} in its line {number}, and this "
                f"program knows {SCHEMA}. Update scalptrack."
            )
            raise InputError(msg)
        entry = Entry(
            number=values["number"],
            at=values["at"],
            who=values["who"],
            action=values["action"],
            changes=tuple(Change.from_dict(each) for each in values["changes"]),
            undoes=values["undoes"],
            previous=values["previous"],
            sha256=values["sha256"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(path, number) from error
    sound = entry.number == number and entry.previous == previous
    if not sound or entry.sha256 != _hash(entry) or _line(entry) != line:
        raise _broken(path, number)
    return entry


def _broken(path: Path, number: int) -> InputError:
    return InputError(
        f"{path} was changed at its line {number}: it no longer says who decided what. Restore it "
        "from a backup, or move it away."
    )


class DecisionStore:
    """The file of decisions, for reading and for adding to it.

    Parameters
    ----------
    path : Path
        The file; made with the first decision.
    now : callable
        The present time (UTC); another one in tests.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(tz=UTC)
    ) -> None:
        self.path = path
        self._now = now

    def read(self) -> DecisionLog:
        """The log as it is now (see `read_log`)."""
        return read_log(self.path)

    def decide(self, who: str, changes: Sequence[Change]) -> DecisionLog:
        """Add a line with changes that are made together.

        Changes of other targets than somebody else changed meanwhile are joined.

        Parameters
        ----------
        who : str
            The reviewer.
        changes : sequence of Change
            With the values that the reviewer saw before.

        Raises
        ------
        ConflictError
            If a target no longer has the value that the reviewer saw.
        InputError
            If the reviewer has no name, or nothing changes.
        OutputError
            If the file can't be written.
        """
        return self._add(who, "decide", lambda _log: (tuple(changes), None))

    def undo(self, who: str, number: int) -> DecisionLog:
        """Add a line that takes back another one.

        Raises
        ------
        ConflictError
            If something that the line decided was decided anew since, or is taken back already.
        InputError, OutputError
            As `decide`; and if there is no such line.
        """

        def changes_of(log: DecisionLog) -> tuple[tuple[Change, ...], int]:
            entry = next((each for each in log.entries if each.number == number), None)
            if entry is None:
                msg = f"There is no line {number} in {self.path.name}."
                raise InputError(msg)
            if number in log.undone():
                msg = f"Line {number} of {self.path.name} was taken back already."
                raise ConflictError(msg)
            back = [Change(each.target, each.after, each.before) for each in entry.changes]
            return tuple(back), number

        return self._add(who, "undo", changes_of)

    def _add(
        self,
        who: str,
        action: str,
        changes_of: Callable[[DecisionLog], tuple[tuple[Change, ...], int | None]],
    ) -> DecisionLog:
        name = text_of(who, "the reviewer")
        if not name or len(name) > MAX_NAME:
            msg = f"Say who decides: a name of 1 to {MAX_NAME} characters."
            raise InputError(msg)
        with _locked(self.path):
            log = self.read()
            changes, undoes = changes_of(log)
            kept = tuple(each for each in changes if each.before != each.after)
            if not kept or len({each.target for each in kept}) < len(kept):
                msg = "Nothing was changed." if not kept else "One target is named twice."
                raise InputError(msg)
            _require_unchanged(log, kept)
            at = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
            draft = Entry(len(log.entries) + 1, at, name, action, kept, undoes, log.head, "")
            entry = Entry(
                draft.number, at, name, action, kept, undoes, draft.previous, _hash(draft)
            )
            grown = DecisionLog((*log.entries, entry))
            text = "".join(f"{_line(each)}\n" for each in grown.entries)
            write_bytes_atomic(self.path, text.encode("utf-8"))
        return grown


def _require_unchanged(log: DecisionLog, changes: Sequence[Change]) -> None:
    decisions = log.decisions()
    for change in changes:
        now = decisions.get(change.target)
        if (now.value if now else None) == change.before:
            continue
        last = next(
            each
            for each in reversed(log.entries)
            if any(one.target == change.target for one in each.changes)
        )
        msg = (
            f"{last.who} changed the {change.target[2]} meanwhile ({last.at}). Nothing was saved; "
            "look at what is there now, and decide again."
        )
        raise ConflictError(msg)


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "number": entry.number,
        "at": entry.at,
        "who": entry.who,
        "action": entry.action,
        "undoes": entry.undoes,
        "changes": [each.as_dict() for each in entry.changes],
        "previous": entry.previous,
    }


def _hash(entry: Entry) -> str:
    text = json.dumps(_plain(entry), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _line(entry: Entry) -> str:
    return json.dumps(entry.as_dict(), ensure_ascii=False)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock for writing; the system lets go of it when a process is killed."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+b")
    except OSError as error:
        msg = f"{lock} can't be written: {error.strerror or error}. Nothing was saved."
        raise OutputError(msg) from error
    with file:
        _take(file)
        try:
            yield
        finally:
            _release(file)


if sys.platform == "win32":

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _release(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
