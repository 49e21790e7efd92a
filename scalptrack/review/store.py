"""Where decisions are kept: reading them and adding to them, the same for every place.

There are two places: a file beside results (`scalptrack.review.decision_file`) and the database of
a study (`scalptrack.study.decisions`). Both hold the same lines, and each says only how it is read
and locked, and how a line is added.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from scalptrack.errors import InputError
from scalptrack.review.decisions import NAMES, Change, text_of
from scalptrack.review.log import DecisionLog, Entry
from scalptrack.translation import marked, tr

MAX_NAME = 80


class ConflictError(InputError):
    """Somebody else decided on the same thing meanwhile."""


@dataclass(frozen=True, slots=True)
class Source:
    """Another log whose lines are taken over.

    Attributes
    ----------
    name : str
        What messages call it.
    log : DecisionLog
        Its lines.
    """

    name: str
    log: DecisionLog


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added at once.

    Attributes
    ----------
    who : str
        Who does it.
    grown : DecisionLog
        The log with the new lines.
    entries : tuple of Entry
        The new lines alone.
    source : Source or None
        Where they come from, if they were decided elsewhere.
    """

    who: str
    grown: DecisionLog
    entries: tuple[Entry, ...]
    source: Source | None = None


class Pen(ABC):
    """The log while nobody else can write it."""

    @abstractmethod
    def read(self) -> DecisionLog:
        """The log as it is now."""

    @abstractmethod
    def add(self, addition: Addition) -> None:
        """Write new lines, all of them or none."""


class DecisionStore(ABC):
    """Decisions in one place.

    Parameters
    ----------
    name : str
        What messages call it.
    place : str
        Where it is: a path, or a description.
    now : callable
        The present time (UTC); another one in tests.
    """

    def __init__(
        self, name: str, place: str, *, now: Callable[[], datetime] = lambda: datetime.now(tz=UTC)
    ) -> None:
        self.name = name
        self.place = place
        self._now = now

    @abstractmethod
    def read(self) -> DecisionLog:
        """The log as it is now; empty where nothing was decided yet.

        Raises
        ------
        InputError
            If a line was changed, taken out or put in by something else than scalptrack.
        """

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Pen]:
        """Keep everybody else from writing."""

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
            If something can't be decided so, the reviewer has no name, or nothing changes.
        OutputError
            If the place can't be written.
        """
        checked = tuple(Change.from_dict(each.as_dict()) for each in changes)
        return self._add(who, "decide", lambda _log: (checked, None))

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
                msg = tr("There is no line {number} in {name}.", number=number, name=self.name)
                raise InputError(msg)
            if number in log.undone():
                msg = tr(
                    "Line {number} of {name} was taken back already.",
                    number=number,
                    name=self.name,
                )
                raise ConflictError(msg)
            back = [Change(each.target, each.after, each.before) for each in entry.changes]
            return tuple(back), number

        return self._add(who, "undo", changes_of)

    def take(self, who: str, source: Source) -> int:
        """Add the lines of another log that aren't here yet, with their own reviewer and time.

        Parameters
        ----------
        who : str
            Who takes them over.
        source : Source
            The other log; of a longer one that was taken over before, only the new lines are.

        Returns
        -------
        int
            How many lines were added.

        Raises
        ------
        ConflictError
            If both logs decided on the same thing. Nothing is taken over then.
        InputError, OutputError
            If nobody is named, or the place can't be written.
        """
        name = _name_of(who)
        with self._writing() as pen:
            log = pen.read()
            grown = joined(log, source)
            entries = grown.entries[len(log.entries) :]
            if entries:
                pen.add(Addition(name, grown, entries, source))
        return len(entries)

    def _add(
        self,
        who: str,
        action: str,
        changes_of: Callable[[DecisionLog], tuple[tuple[Change, ...], int | None]],
    ) -> DecisionLog:
        name = _name_of(who)
        with self._writing() as pen:
            log = pen.read()
            changes, undoes = changes_of(log)
            kept = tuple(each for each in changes if each.before != each.after)
            if not kept or len({each.target for each in kept}) < len(kept):
                msg = (
                    marked("One target is named twice.") if kept else marked("Nothing was changed.")
                )
                raise InputError(tr(msg))
            _require_unchanged(log, kept)
            at = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
            grown = log.with_line(at, name, action, kept, undoes)
            pen.add(Addition(name, grown, grown.entries[-1:]))
        return grown


def _name_of(who: str) -> str:
    name = text_of(who, marked("the reviewer"))
    if not name or len(name) > MAX_NAME:
        msg = tr("Say who decides: a name of 1 to {most} characters.", most=MAX_NAME)
        raise InputError(msg)
    return name


def _require_unchanged(log: DecisionLog, changes: Sequence[Change]) -> None:
    last = _decided_otherwise(log, changes)
    if last is not None:
        change, entry = last
        msg = tr(
            "{who} changed the {what} meanwhile ({at}). Nothing was saved; look at what is there "
            "now, and decide again.",
            who=entry.who,
            what=tr(NAMES[change.target[2]]),
            at=entry.at,
        )
        raise ConflictError(msg)


def _decided_otherwise(log: DecisionLog, changes: Sequence[Change]) -> tuple[Change, Entry] | None:
    """The first change of something that is not as it was before, and the line that says so."""
    decisions = log.decisions()
    for change in changes:
        now = decisions.get(change.target)
        if (now.value if now else None) != change.before:
            lines = [e for e in log.entries if any(c.target == change.target for c in e.changes)]
            if not lines:
                msg = tr(
                    "Nothing was decided on the {what} yet. Look again, and decide.",
                    what=tr(NAMES[change.target[2]]),
                )
                raise InputError(msg)
            return change, lines[-1]
    return None


def joined(log: DecisionLog, source: Source) -> DecisionLog:
    """A log with the lines of another one that it doesn't hold yet, in their order.

    Raises
    ------
    ConflictError
        If both decided on the same thing.
    """
    known: dict[str, list[int]] = {}
    for entry in log.entries:
        known.setdefault(_act(entry), []).append(entry.number)
    numbers: dict[int, int] = {}
    grown = log
    for entry in source.log.entries:
        same = known.get(_act(entry))
        if same:
            numbers[entry.number] = same.pop(0)
            continue
        conflict = _decided_otherwise(grown, entry.changes)
        if conflict is not None:
            raise _both_decided(source, entry, *conflict)
        undoes = None if entry.undoes is None else numbers.get(entry.undoes)
        grown = grown.with_line(entry.at, entry.who, entry.action, entry.changes, undoes)
        numbers[entry.number] = grown.entries[-1].number
    return grown


def _act(entry: Entry) -> str:
    """What makes a line the same in two logs: who did what and when, whatever its number."""
    return json.dumps(
        [entry.at, entry.who, entry.action, [each.as_dict() for each in entry.changes]],
        sort_keys=True,
    )


def _both_decided(source: Source, entry: Entry, change: Change, here: Entry) -> ConflictError:
    kind, name, what = change.target
    whose = f"photograph {name[:12]}…" if kind == "photo" else name
    return ConflictError(
        f"{entry.who} (line {entry.number} of {source.name}, {entry.at}) and {here.who} (line "
        f"{here.number} here, {here.at}) both decided on the {what} of {whose}. Nothing was taken "
        "over: take back one of the two, and try again."
    )
