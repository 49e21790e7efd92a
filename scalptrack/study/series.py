"""A subject and view as one piece of work: its photographs, and what was decided of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from scalptrack.records import Outcome, Photograph
from scalptrack.review.applying import as_plain, has_effect, with_references
from scalptrack.review.decisions import OF_PHOTOGRAPHS, Target
from scalptrack.review.log import Decision
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.store import StudyStore

RETRY = "again "
"""Begins the mark of a series that is finished for now, and is tried again by each run."""

CONTENT_CHANGED = "content_changed"
"""Why a photograph isn't measured whose file is no longer what the study was made with."""

Key = tuple[str, str]
"""Subject and view."""


@dataclass(frozen=True, slots=True)
class SeriesJob:
    """Photographs of one subject and view, and the decisions that their numbers depend on.

    Attributes
    ----------
    photographs : tuple of Photograph
        At least one; the reference that was chosen is marked.
    decisions : mapping
        Decisions of these photographs that change a number, by target.
    """

    photographs: tuple[Photograph, ...]
    decisions: Mapping[Target, Decision] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Subject and view."""
        return self.photographs[0].subject, self.photographs[0].view

    def numbered(self) -> list[dict[str, Any]]:
        """The decisions as plain values, each with the number of its line."""
        return [
            as_plain(target, each) | {"number": each.number}
            for target, each in sorted(self.decisions.items(), key=lambda item: item[0])
        ]

    def base(self, version: str) -> str:
        """Hash of everything but decisions that decides the outcomes."""
        contents = (each.sha256 for each in self.photographs)
        return hashlib.sha256("\n".join([version, *contents]).encode()).hexdigest()

    def mark(self, version: str) -> str:
        """Everything that decides the outcomes, with that of decisions apart.

        Parameters
        ----------
        version : str
            Everything beside photographs and decisions: versions, settings, model.
        """
        if not self.decisions:
            return self.base(version)
        text = json.dumps(self.numbered(), sort_keys=True, ensure_ascii=False)
        return f"{self.base(version)} {hashlib.sha256(text.encode()).hexdigest()}"

    def is_current(self, stored: str, version: str) -> bool:
        """Whether outcomes with this mark are those of now."""
        return stored.removeprefix(RETRY) == self.mark(version)

    def is_older_than_decisions(self, stored: str, version: str) -> bool:
        """Whether outcomes with this mark are those of now but for what was decided since."""
        base = stored.removeprefix(RETRY).partition(" ")[0]
        return base == self.base(version) and not self.is_current(stored, version)


def held_decisions(plain: Sequence[Mapping[str, Any]]) -> dict[Target, Decision]:
    """Decisions of photographs from the plain values that are stored with results."""
    return {
        ("photo", each["photo"], each["what"]): Decision(
            each["value"], each["who"], each["at"], each["number"]
        )
        for each in plain
    }


def series_jobs(
    store: StudyStore, decisions: Mapping[Target, Decision] | None = None
) -> tuple[SeriesJob, ...]:
    """All subjects and views of a study, with what holds of their photographs now.

    Parameters
    ----------
    store : StudyStore
        The study.
    decisions : mapping, optional
        What holds, if it was read already.

    Raises
    ------
    InputError
        If the decisions were changed by something else than scalptrack.
    """
    if decisions is None:
        decisions = StudyDecisions(store).read().decisions()
    held = {each: decisions[each] for each in decisions if of_numbers(each, decisions[each])}
    photographs, _ = with_references(
        [store.as_photograph(each) for each in store.photographs()], held
    )
    of_photographs: dict[str, dict[Target, Decision]] = {}
    for target, decision in held.items():
        of_photographs.setdefault(target[1], {})[target] = decision
    jobs = []
    for _, group in groupby(photographs, key=lambda each: (each.subject, each.view)):
        members = tuple(group)
        own: dict[Target, Decision] = {}
        for each in members:
            own |= of_photographs.get(each.sha256, {})
        jobs.append(SeriesJob(members, own))
    return tuple(jobs)


def of_numbers(target: Target, decision: Decision) -> bool:
    """Whether a decision may change a number of a study; its events change none."""
    return target[2] in OF_PHOTOGRAPHS and has_effect(target, decision)


def used_decisions(job: SeriesJob, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The decisions of a job, each with why no outcome rests on it, or an empty text.

    Parameters
    ----------
    job : SeriesJob
        What was measured.
    outcomes : sequence of Outcome
        What came of it.
    """
    by_hash = {each.sha256: each for each in outcomes}
    reference = next((each.sha256 for each in outcomes if each.is_reference), None)
    return [
        each | {"unused": _why_unused(each, by_hash[each["photo"]], reference)}
        for each in job.numbered()
    ]


def _why_unused(decision: Mapping[str, Any], outcome: Outcome, reference: str | None) -> str:
    what, value = decision["what"], decision["value"]
    code = outcome.reason.code if outcome.reason else ""
    if what == "reference":
        # Where it can't be the reference, nothing is compared: then its choice was used as well.
        taken = reference is not None and reference != outcome.sha256
        return "another photograph of this view was chosen later" if taken else ""
    if code == CONTENT_CHANGED:
        return "the file is no longer what was decided on"
    if what == "region" and reference != outcome.sha256:
        return "the photograph that it was drawn on is not the reference"
    if what != "points":
        return ""
    if value["reference"] != reference:
        return "the photograph that they were set against is not the reference"
    if outcome.sha256 == reference:
        return "the photograph is the reference itself"
    # Without a tier nothing was tried to align: it was excluded, or can't be measured.
    return "" if outcome.tier else "the photograph can't be measured"
