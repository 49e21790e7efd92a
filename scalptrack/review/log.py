"""The log of decisions: its lines, and what they say one after the other.

The decisions are what the lines say one after the other; nothing else is stored, so that decisions
and log can't contradict each other. A line is never changed and never taken out: taking something
back is another line, and each line holds the hash of the one before. Where the lines are kept is
the matter of a `scalptrack.review.store.DecisionStore`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scalptrack.errors import InputError
from scalptrack.review.decisions import Change, Target

SCHEMA = "scalptrack.decisions/1"


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
        return self._signed() | {"sha256": self.sha256}

    def line(self) -> str:
        """As one line of the file, without its end."""
        return json.dumps(self.as_dict(), ensure_ascii=False)

    def hash(self) -> str:
        """The hash that the line must have."""
        text = json.dumps(self._signed(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def _signed(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "number": self.number,
            "at": self.at,
            "who": self.who,
            "action": self.action,
            "undoes": self.undoes,
            "changes": [each.as_dict() for each in self.changes],
            "previous": self.previous,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Entry:
        """Inverse of `as_dict`; the changes are checked, the hash is not.

        Raises
        ------
        InputError
            If something in it isn't a decision.
        KeyError, TypeError
            If it isn't a line at all.
        """
        return cls(
            number=values["number"],
            at=values["at"],
            who=values["who"],
            action=values["action"],
            changes=tuple(Change.from_dict(each) for each in values["changes"]),
            undoes=values["undoes"],
            previous=values["previous"],
            sha256=values["sha256"],
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds now for one target, and which line says so."""

    value: Any
    who: str
    at: str
    number: int


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """All lines, checked.

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

    def with_line(
        self, at: str, who: str, action: str, changes: tuple[Change, ...], undoes: int | None
    ) -> DecisionLog:
        """The log with one line more, numbered and hashed."""
        draft = Entry(len(self.entries) + 1, at, who, action, changes, undoes, self.head, "")
        return DecisionLog((*self.entries, replace(draft, sha256=draft.hash())))


def checked_log(entries: Iterable[Entry], broken: Callable[[int], InputError]) -> DecisionLog:
    """The log of these lines.

    Parameters
    ----------
    entries : iterable of Entry
        Oldest first.
    broken : callable
        The error for a number of a line that was changed.

    Raises
    ------
    InputError
        If a line was changed, taken out or put in by something else than scalptrack.
    """
    kept: list[Entry] = []
    held: dict[Target, Any] = {}
    previous = ""
    for number, entry in enumerate(entries, start=1):
        sound = entry.number == number and entry.previous == previous
        if not sound or entry.sha256 != entry.hash():
            raise broken(number)
        for change in entry.changes:
            if held.get(change.target) != change.before:
                raise broken(number)
            held[change.target] = change.after
        previous = entry.sha256
        kept.append(entry)
    return DecisionLog(tuple(kept))
