"""Measures a study: photographs first, each on its own, then every subject and view.

Both units of work are plain functions of plain values, so that any executor can run them. What a
unit gives is stored at once: a run that is killed loses only what was in work, and the next one
continues. Nothing depends on which unit ends first, so the results are the same for any number of
processes.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

from scalptrack.aligning import Analysis, Member
from scalptrack.cache import RecordCache
from scalptrack.errors import ImageReadError, ScalptrackError
from scalptrack.images import sha256_of_file
from scalptrack.pipeline import RECORD_TYPES, Series, analyse_photograph, measure_series
from scalptrack.records import Outcome, Photograph, Reason, Settings, Status
from scalptrack.review.applying import corrections_of
from scalptrack.segmentation import shared_segmenter
from scalptrack.study.addresses import PhotoRoot, shown
from scalptrack.study.decision_states import WITHOUT_USE, State, states_of
from scalptrack.study.fetching import TRANSIENT_CODES as FETCH_CODES
from scalptrack.study.fetching import fetched, most_bytes
from scalptrack.study.series import (
    CONTENT_CHANGED,
    RETRY,
    SeriesJob,
    series_jobs,
    used_decisions,
)
from scalptrack.study.store import AnalysisRow, StudyStore
from scalptrack.tables import fingerprint
from scalptrack.translation import tr
from scalptrack.wording import plural

TRANSIENT_CODES = FETCH_CODES | {"internal_error", CONTENT_CHANGED}
"""Reasons that another run may not meet again; what they touch is computed again by each run."""

UNITS_IN_FLIGHT = 256
"""Units handed to the executor at a time: enough for a cluster, little to hold in memory."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Job = TypeVar("Job")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class WorkPlace:
    """What a unit needs beside its photographs; it can be sent to another process."""

    cache_folder: Path
    settings: Settings
    fingerprint: str
    photo_root: PhotoRoot

    def cache(self) -> RecordCache:
        """The records that are shared by all units."""
        return RecordCache(self.cache_folder, RECORD_TYPES, fingerprint=self.fingerprint)


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What became of the photographs, and how much of it was computed by this run.

    Attributes
    ----------
    photographs, measured, refused, rejected : int
        All of the study.
    analysed_now, series_now : int
        Photographs, and subjects with a view, that were computed by this run.
    decisions_used : int
        Decisions of a reviewer that the results were made with.
    notes : tuple of str
        Decisions that no number rests on, and why.
    """

    photographs: int
    measured: int
    refused: int
    rejected: int
    analysed_now: int
    series_now: int
    decisions_used: int
    notes: tuple[str, ...]

    def line(self) -> str:
        """The line that a run ends with."""
        return (
            f"{plural(self.photographs, 'photograph')}: {self.measured} measured, "
            f"{self.refused} refused, {self.rejected} rejected"
        )


def study_fingerprint(store: StudyStore) -> str:
    """Everything beside the photographs that decides a result: versions, settings, model."""
    return settings_fingerprint(store.settings)


@cache
def settings_fingerprint(settings: Settings) -> str:
    """The same for given settings, in the process that asks."""
    text = fingerprint(settings, shared_segmenter().method)
    return hashlib.sha256(text.encode()).hexdigest()


def work_place(store: StudyStore, mark: str) -> WorkPlace:
    """Where the units of a study work; absolute, because they may run elsewhere."""
    return WorkPlace(store.cache_folder.resolve(), store.settings, mark, store.photo_root)


def analyse_unit(photograph: Photograph, place: WorkPlace) -> Reason | None:
    """Analyse one photograph and keep the analysis; the reason why it can't take part, or None."""
    return analysis_of(photograph, place).reason


def series_unit(job: SeriesJob, place: WorkPlace) -> tuple[Outcome, ...]:
    """Measure all photographs of one subject and view."""
    return measured_series(job, place).outcomes


def measured_series(job: SeriesJob, place: WorkPlace) -> Series:
    """One subject and view with what was decided of its photographs.

    A decision on a photograph whose file is another one by now is not applied: nobody decided on
    that one.
    """
    members = [Member(each, analysis_of(each, place)) for each in job.photographs]
    reasons = {each.photograph.sha256: each.analysis.reason for each in members}
    changed = {
        name for name, why in reasons.items() if why is not None and why.code == CONTENT_CHANGED
    }
    corrections = corrections_of(
        {target: each for target, each in job.decisions.items() if target[1] not in changed}
    )
    return measure_series(
        *job.key, members, place.settings, cache=place.cache(), corrections=corrections
    )


def analysis_of(photograph: Photograph, place: WorkPlace) -> Analysis:
    """Analysis of a photograph from the cache, or made now and kept."""
    cache = place.cache()
    known: Analysis | None = cache.load("analysis", photograph.sha256)
    if known is not None:
        return known
    problem = content_problem(photograph, place)
    if problem is None:
        analysis = analyse_photograph(photograph, place.settings)
        problem = _content_problem(photograph)
        if problem is None:
            if analysis.reason is None or analysis.reason.code not in TRANSIENT_CODES:
                cache.save(analysis, "analysis", photograph.sha256)
            return analysis
    return Analysis(None, None, None, Status.REJECTED, problem)


def content_problem(photograph: Photograph, place: WorkPlace) -> Reason | None:
    """Why the photograph is not at hand as the study was made with it, or None.

    A copy of one at a URL that is gone or damaged is fetched again.

    Raises
    ------
    OutputError
        If a copy can't be written.
    """
    problem = _content_problem(photograph)
    url = place.photo_root.url_of(photograph.name)
    if problem is None or url is None:
        return problem
    limit = most_bytes(place.settings.max_megapixels)
    try:
        with fetched(url, photograph.path.parent, max_bytes=limit) as (copy, sha256):
            if sha256 != photograph.sha256:
                return _changed(photograph, sha256)
            copy.replace(photograph.path)
    except ImageReadError as error:
        if error.code in FETCH_CODES:
            return Reason(error.code, str(error))
        message = tr("{error} It is not what the study was made with.", error=error)
        return Reason(CONTENT_CHANGED, message)
    return None


def _content_problem(photograph: Photograph) -> Reason | None:
    """Why the file is not the photograph that the study was made with, or None."""
    try:
        content = sha256_of_file(photograph.path)
    except ImageReadError as error:
        return Reason(error.code, str(error))
    return None if content == photograph.sha256 else _changed(photograph, content)


def _changed(photograph: Photograph, content: str) -> Reason:
    return Reason(
        CONTENT_CHANGED,
        tr(
            "{name} is not the file that the study was made with (SHA-256 {found}…, it was "
            "{known}…). Put the original back, or make a new study.",
            name=photograph.name,
            found=content[:12],
            known=photograph.sha256[:12],
        ),
    )


def run_study(
    store: StudyStore,
    *,
    executor: Executor,
    on_step: Callable[[str], None] = lambda _name: None,
) -> RunCounts:
    """Measure what has no result yet.

    Parameters
    ----------
    store : StudyStore
        The study; results go there as soon as they are known.
    executor : Executor
        Runs `analyse_unit` and `series_unit`.
    on_step : callable
        Called with the name of each photograph whose subject and view is complete.

    Raises
    ------
    OutputError
        If results can't be stored.
    ScalptrackError
        If a worker process was killed.
    """
    mark = study_fingerprint(store)
    place = work_place(store, mark)
    jobs = _pending(store, mark, on_step)
    store.log(
        "run started",
        {
            "fingerprint": mark,
            "series_to_do": len(jobs),
            "photo_root": shown(store.photo_root.address),
        },
    )
    try:
        analysed = _analyse_all(store, jobs, place, executor)
        for job, outcomes in _completed(executor, series_unit, jobs, place):
            used = used_decisions(job, outcomes)
            store.save_series(*job.key, _mark_of(outcomes, job, mark), outcomes, decisions=used)
            for each in job.photographs:
                on_step(each.name)
    except BrokenExecutor as error:
        message = (
            "A worker process was killed, most likely for want of memory. Everything that was "
            "finished is kept: run it again with fewer --jobs."
        )
        raise ScalptrackError(message) from error
    counts = count_outcomes(store, analysed_now=analysed, series_now=len(jobs))
    store.log(
        "run finished",
        {
            "fingerprint": mark,
            "measured": counts.measured,
            "refused": counts.refused,
            "rejected": counts.rejected,
            "decisions_used": counts.decisions_used,
        },
    )
    return counts


def count_outcomes(store: StudyStore, *, analysed_now: int = 0, series_now: int = 0) -> RunCounts:
    """What became of the photographs so far."""
    found = Counter(each.status for each in store.outcomes())
    states = states_of(store)
    return RunCounts(
        photographs=len(store.photographs()),
        measured=found[Status.MEASURED],
        refused=found[Status.REFUSED],
        rejected=found[Status.REJECTED],
        analysed_now=analysed_now,
        series_now=series_now,
        decisions_used=sum(each.state is State.USED for each in states),
        notes=tuple(
            each.sentence() for each in states if each.state in {*WITHOUT_USE, State.WAITING}
        ),
    )


def _mark_of(outcomes: Sequence[Outcome], job: SeriesJob, mark: str) -> str:
    """Mark of a finished series; one that another run should try again begins with `RETRY`."""
    codes = {each.reason.code for each in outcomes if each.reason is not None}
    return (RETRY if codes & TRANSIENT_CODES else "") + job.mark(mark)


def _pending(store: StudyStore, mark: str, on_step: Callable[[str], None]) -> list[SeriesJob]:
    """Subjects and views without a current result."""
    finished = store.finished_series()
    pending = []
    for job in series_jobs(store):
        if finished.get(job.key) != job.mark(mark):
            pending.append(job)
            continue
        for each in job.photographs:
            on_step(each.name)
    return pending


def _analyse_all(
    store: StudyStore,
    jobs: Iterable[SeriesJob],
    place: WorkPlace,
    executor: Executor,
) -> int:
    """Analyse the photographs of the jobs; how many were not known yet."""
    known = store.analyses()
    count = 0
    photographs = [each for job in jobs for each in job.photographs]
    for photograph, reason in _completed(executor, analyse_unit, photographs, place):
        code, text = (reason.code, reason.message) if reason else ("", "")
        row = AnalysisRow(place.fingerprint, code, text)
        if known.get(photograph.sha256) != row:
            count += 1
            store.save_analysis(photograph.sha256, row)
    return count


def _completed(
    executor: Executor,
    unit: Callable[[Job, WorkPlace], Answer],
    jobs: Iterable[Job],
    place: WorkPlace,
) -> Iterator[tuple[Job, Answer]]:
    """Jobs with their answers as they come; few are handed out at a time."""
    waiting = iter(jobs)
    running: dict[Future[Answer], Job] = {}
    try:
        while True:
            for job in islice(waiting, UNITS_IN_FLIGHT - len(running)):
                running[executor.submit(unit, job, place)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    finally:
        for future in running:
            future.cancel()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that are started meanwhile compute with one thread."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
