"""What became of each decision of a study: in the numbers, waiting for a run, or without use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision, DecisionLog
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.design import StudyPhotograph
from scalptrack.study.series import Key, of_numbers
from scalptrack.study.store import StudyStore

Used = Mapping[Key, Sequence[Mapping[str, Any]]]
"""Decisions that the results of each subject and view were made with (`used_decisions`)."""


class State(StrEnum):
    """What became of a decision that holds."""

    USED = "used"
    WAITING = "waiting"
    UNUSED = "unused"
    NO_EFFECT = "no effect"
    UNKNOWN = "not in study"


WITHOUT_USE = frozenset({State.UNUSED, State.UNKNOWN})
"""States of decisions that no number rests on, and that a person has to know of."""


@dataclass(frozen=True, slots=True)
class DecisionState:
    """A decision that holds, and what became of it.

    Attributes
    ----------
    line : int
        Number of the line that decided it.
    at, who : str
        When (UTC), and by whom.
    what : str
        ``"verdict"``, ``"reference"``, ``"region"``, ``"points"``, ``"note"`` or ``"events"``.
    name : str
        The photograph's name, or the SHA-256 of one that the study doesn't have; of events the
        subject.
    state : State
        ``"used"``: results were made with it; ``"waiting"``: the next run applies it; ``"unused"``:
        it was not applied; ``"no effect"``: it changes no number; ``"not in study"``: no photograph
        has this content, or no subject this name.
    reason : str
        Why it was not applied.
    """

    line: int
    at: str
    who: str
    what: str
    name: str
    state: State
    reason: str = ""

    def sentence(self) -> str:
        """What to say of one that no number rests on."""
        what = "exclusion" if self.what == "verdict" else self.what
        return (
            f"What {self.who} decided in line {self.line} ({what} of {self.name}) is not in the "
            f"numbers: {self.reason}."
        )


def decision_states(
    photographs: Sequence[StudyPhotograph], log: DecisionLog, used: Used
) -> dict[Target, DecisionState]:
    """What became of every decision that holds, oldest line first.

    Parameters
    ----------
    photographs : sequence of StudyPhotograph
        All of the study.
    log : DecisionLog
        Its decisions.
    used : mapping
        What its results were made with.
    """
    by_hash = {each.sha256: each for each in photographs}
    subjects = {each.subject for each in photographs}
    reasons = {
        (each["photo"], each["what"], each["number"]): each["unused"]
        for decisions in used.values()
        for each in decisions
    }
    found = {}
    held = sorted(log.decisions().items(), key=lambda item: (item[1].number, item[0]))
    for target, decision in held:
        kind, name, what = target
        photograph = by_hash.get(name) if kind == "photo" else None
        shown = photograph.name if photograph else name
        known = photograph is not None or (kind == "subject" and name in subjects)
        reason = reasons.get((name, what, decision.number))
        state, why = _state(target, decision, reason) if known else (State.UNKNOWN, _unknown(kind))
        found[target] = DecisionState(
            decision.number, decision.at, decision.who, what, shown, state, why
        )
    return found


def _state(target: Target, decision: Decision, reason: str | None) -> tuple[State, str]:
    if not of_numbers(target, decision):
        return State.NO_EFFECT, ""
    if reason is None:
        return State.WAITING, "the next run applies it"
    return (State.UNUSED, reason) if reason else (State.USED, "")


def _unknown(kind: str) -> str:
    if kind == "photo":
        return "the study has no photograph with this content"
    return "the study has no such subject"


def states_of(store: StudyStore) -> tuple[DecisionState, ...]:
    """What became of every decision that holds in a study.

    Raises
    ------
    InputError
        If the decisions were changed by something else than scalptrack.
    """
    log = StudyDecisions(store).read()
    found = decision_states(store.photographs(), log, store.used_decisions())
    return tuple(found.values())


def in_results(used: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the decisions that a subject and view were measured with which had a use."""
    return [each for each in used if not each["unused"]]
