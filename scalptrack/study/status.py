"""Where a study stands: what is done, what failed and why, and which visits are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scalptrack.errors import InputError
from scalptrack.records import Status
from scalptrack.study.decision_states import WITHOUT_USE, DecisionState, State, states_of
from scalptrack.study.design import MissingVisit
from scalptrack.study.fetching import OUTAGE_CODES
from scalptrack.study.running import study_fingerprint
from scalptrack.study.series import SeriesJob, series_jobs
from scalptrack.study.store import StudyStore
from scalptrack.wording import plural


@dataclass(frozen=True, slots=True)
class FailedPhotograph:
    """A photograph without a number."""

    photo: str
    subject: str
    view: str
    visit: str
    status: str
    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """Where a study stands.

    Attributes
    ----------
    analysed : int
        Photographs whose own analysis is there, for the versions and settings of now.
    series, series_finished : int
        Subjects with a view, and how many of them have results of now.
    measured, refused, rejected : int
        Photographs by what became of them.
    reasons : dict of str to int
        How often each reason stands for a photograph without a number.
    log_lines : int
        Lines of the log; reading them checked that none was changed.
    decisions : int
        Decisions of a reviewer that hold.
    decisions_used, decisions_waiting : int
        How many of them the results were made with, and how many the next run applies.
    decisions_unused : tuple of DecisionState
        Those that were not applied, and those on what the study doesn't have.
    series_outdated : int
        Subjects with a view whose results are older than what was decided of them.
    """

    photographs: int
    analysed: int
    series: int
    series_finished: int
    measured: int
    refused: int
    rejected: int
    reasons: dict[str, int]
    failed: tuple[FailedPhotograph, ...]
    missing_visits: tuple[MissingVisit, ...]
    log_lines: int
    decisions: int
    decisions_used: int
    decisions_waiting: int
    decisions_unused: tuple[DecisionState, ...]
    series_outdated: int

    @property
    def complete(self) -> bool:
        """True when nothing is left to run."""
        return self.series_finished == self.series

    def counts_line(self) -> str:
        """The line that the command ends with."""
        return (
            f"{plural(self.photographs, 'photograph')}: {self.measured} measured, "
            f"{self.refused} refused, {self.rejected} rejected, "
            f"{self.photographs - self.measured - self.refused - self.rejected} to do; "
            f"{plural(len(self.missing_visits), 'visit')} missing"
        )


def study_status(store: StudyStore) -> StudyStatus:
    """Where the study stands, for the versions and settings of now.

    Raises
    ------
    InputError
        If the log was changed by something else than scalptrack.
    """
    mark = study_fingerprint(store)
    jobs = series_jobs(store)
    finished = store.finished_series()
    places = {each.name: each for each in store.photographs()}
    outcomes = store.outcomes()
    failed = tuple(
        FailedPhotograph(
            photo=each.name,
            subject=each.subject,
            view=each.view,
            visit=places[each.name].visit,
            status=each.status.value,
            reason_code=each.reason.code if each.reason else "",
            reason=each.reason.message if each.reason else "",
        )
        for each in outcomes
        if each.status is not Status.MEASURED
    )
    by_status = Counter(each.status for each in outcomes)
    states = states_of(store)
    by_state = Counter(each.state for each in states)
    return StudyStatus(
        photographs=len(places),
        analysed=sum(each.fingerprint == mark for each in store.analyses().values()),
        series=len(jobs),
        series_finished=sum(finished.get(each.key) == each.mark(mark) for each in jobs),
        measured=by_status[Status.MEASURED],
        refused=by_status[Status.REFUSED],
        rejected=by_status[Status.REJECTED],
        reasons=dict(sorted(Counter(each.reason_code for each in failed).items())),
        failed=failed,
        missing_visits=store.missing_visits(),
        log_lines=len(store.log_lines()),
        decisions=len(states),
        decisions_used=by_state[State.USED],
        decisions_waiting=by_state[State.WAITING],
        decisions_unused=tuple(each for each in states if each.state in WITHOUT_USE),
        series_outdated=sum(
            each.is_older_than_decisions(finished.get(each.key, ""), mark) for each in jobs
        ),
    )


def status_document(status: StudyStatus) -> dict[str, Any]:
    """The JSON document of ``study status``."""
    return {"schema": "scalptrack.study.status/1", "complete": status.complete} | {
        name: getattr(status, name) for name in status.__slots__
    }


def require_complete(store: StudyStore) -> None:
    """Refuse to draw conclusions from a study that is not measured by this version to its end.

    Raises
    ------
    InputError
    """
    doubt = doubt_about(store)
    if doubt:
        raise InputError(doubt)


def doubt_about(store: StudyStore) -> str:
    """Why no conclusion can be drawn from the results yet, and what to do; empty when they can."""
    missing = len(store.photographs()) - len(store.outcomes())
    if missing:
        have = "has" if missing == 1 else "have"
        return (
            f"{plural(missing, 'photograph')} of {store.folder} {have} no result yet. Run first: "
            f"scalptrack study run {store.folder}"
        )
    outage = sum(
        each.reason is not None and each.reason.code in OUTAGE_CODES for each in store.outcomes()
    )
    if outage:
        return (
            f"{plural(outage, 'photograph')} of {store.folder} could not be fetched from "
            "where they lie, which says nothing about them "
            f"(scalptrack study status {store.folder}). Run again: "
            f"scalptrack study run {store.folder}"
        )
    mark = study_fingerprint(store)
    analysed = {each.fingerprint for each in store.analyses().values()} == {mark}
    finished = store.finished_series()
    stale = [each for each in series_jobs(store) if not each.is_current(finished[each.key], mark)]
    older = [each for each in stale if each.is_older_than_decisions(finished[each.key], mark)]
    if not analysed or older != stale:
        return (
            f"The results in {store.folder} come from another version of scalptrack or of its "
            f"libraries, in part or in all. Measure again: scalptrack study run {store.folder}"
        )
    return _older_than_decisions(store, older) if older else ""


def _older_than_decisions(store: StudyStore, series: Sequence[SeriesJob]) -> str:
    """What to say of results that lack what was decided since."""
    subject, view = series[0].key
    more = f" and {plural(len(series) - 1, 'other')}" if len(series) > 1 else ""
    return (
        f"The results of {subject}, {view}{more} in {store.folder} are older than what was decided "
        f"of these photographs. Measure them again: scalptrack study run {store.folder}"
    )
