"""Sentences without the names of files and folders, which may hold the name of a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from scalptrack.filenames import VIEWS
from scalptrack.records import Outcome

SHORTEST_NAME = 3
"""Letters; a shorter piece of a subject's label is a number or an initial."""


def photograph_label(outcome: Outcome) -> str:
    """What a photograph is called in a report: its date and number, and never its name.

    Returns
    -------
    str
        E.g. ``"photograph 2026-01-10 no. 2"``; ``"undated file"`` where there is no date.
    """
    if outcome.visit_date is None:
        return "undated file"
    number = "" if outcome.replicate is None else f" no. {outcome.replicate}"
    return f"photograph {outcome.visit_date.isoformat()}{number}"


@dataclass(frozen=True, slots=True)
class Naming:
    """How files of a run are called in its reports.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Of all subjects and views: a sentence on one file may name another one.
    """

    outcomes: tuple[Outcome, ...]
    _labels: tuple[tuple[str, str], ...] = field(init=False, repr=False, default=())
    _words: re.Pattern[str] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_labels", _labels(self.outcomes))
        object.__setattr__(self, "_words", _words(each.subject for each in self.outcomes))

    def nameless(self, sentence: str, otherwise: str) -> str:
        """Return a sentence with labels for names, or other words where a name would be left.

        Parameters
        ----------
        sentence : str
        otherwise : str
            What is said instead; it must hold no name.
        """
        for name, label in self._labels:
            sentence = sentence.replace(name, label)
        named = self._words is not None and self._words.search(sentence)
        return otherwise if named else sentence


def _labels(outcomes: Sequence[Outcome]) -> tuple[tuple[str, str], ...]:
    """Names and last parts of names with what replaces them, longest first."""
    found: dict[str, str] = {}
    for each in outcomes:
        label = photograph_label(each)
        last = PurePosixPath(each.name).name
        for name in (each.name, last):
            # Two files of one name: neither label may be given to the other one.
            found[name] = label if found.get(name, label) == label else "another file"
    return tuple(sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _words(subjects: Iterable[str]) -> re.Pattern[str] | None:
    """What finds a subject's label, or a piece of one, in a text."""
    pieces = set()
    for subject in subjects:
        pieces |= {subject, *re.findall(rf"[^\W\d_]{{{SHORTEST_NAME},}}", subject)}
    pieces -= {"", *VIEWS}
    if not pieces:
        return None
    listed = "|".join(
        re.escape(each) for each in sorted(pieces, key=lambda each: (-len(each), each))
    )
    return re.compile(rf"(?<![^\W_])(?:{listed})(?![^\W_])", re.IGNORECASE)
