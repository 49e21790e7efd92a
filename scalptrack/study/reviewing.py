"""A study as a reviewer sees it: its photographs, with pictures that are drawn when asked for.

Neither arms nor sites nor changes are shown: a decision on a photograph must not depend on what it
does to the result.
"""

from __future__ import annotations

import csv
import io
import shlex
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from scalptrack.cache import RecordCache
from scalptrack.errors import InputError
from scalptrack.pictures import PhotographPictures
from scalptrack.pipeline import Series
from scalptrack.records import Outcome, Photograph
from scalptrack.review.applying import with_references
from scalptrack.review.decisions import Target
from scalptrack.review.log import Decision
from scalptrack.review.reviewed import KINDS, TO_DO, picture_names, shown_photographs
from scalptrack.run_record import findings_of
from scalptrack.series_files import pictures_of
from scalptrack.study import running
from scalptrack.study.decision_states import in_results
from scalptrack.study.decisions import StudyDecisions
from scalptrack.study.series import Key, SeriesJob, held_decisions, series_jobs
from scalptrack.study.store import StudyStore
from scalptrack.study.tidy import StudyResults, load_results
from scalptrack.tables import measurements_csv
from scalptrack.translation import in_language, tr


class StudyPlace:
    """A study with its decisions.

    Parameters
    ----------
    store : StudyStore
        The study.
    """

    def __init__(self, store: StudyStore) -> None:
        self.store = StudyDecisions(store)
        self._study = store
        self._lock = threading.Lock()
        self._read: tuple[Mapping[Key, str], ReviewStudy] | None = None

    def read(self) -> ReviewStudy:
        """The results as they are now; read again only when a run stored others.

        Raises
        ------
        ScalptrackError
            If the database can't be read.
        """
        marks = self._study.finished_series()
        with self._lock:
            if self._read is None or self._read[0] != marks:
                self._read = marks, ReviewStudy(self._study, marks)
            return self._read[1]


class ReviewStudy:
    """Results of a study, as they were stored when this was made.

    Parameters
    ----------
    store : StudyStore
        The study.
    marks : mapping
        Mark of each finished subject and view.
    """

    def __init__(self, store: StudyStore, marks: Mapping[Key, str]) -> None:
        self._store, self._marks = store, marks
        self._results = load_results(store)
        self._version = running.study_fingerprint(store)
        self._painter = _Painter(store, self._version)
        self.title = store.folder.resolve().name
        self.changes: tuple[dict[str, str], ...] = ()
        self.photographs_known = True

    @cached_property
    def photographs(self) -> tuple[dict[str, Any], ...]:
        """What is shown of each photograph; of one without a result only its place."""
        findings = {each.sha256: findings_of(each) for each in self._results.outcomes}
        return shown_photographs(_rows(self._results), self.outputs, findings)

    @property
    def outputs(self) -> frozenset[str]:
        """Names of pictures that can be drawn."""
        return frozenset(self._drawable)

    @cached_property
    def _drawable(self) -> dict[str, tuple[Outcome, str]]:
        """Outcome and kind of each picture, of results that this version of scalptrack made."""
        found = {}
        for each in self._results.outcomes:
            if each.measurement is None or not self._is_of_this_version((each.subject, each.view)):
                continue
            for kind, name in picture_names(_place(each)).items():
                if kind == KINDS[0] or not each.is_reference:
                    found[name] = each, kind
        return found

    def _is_of_this_version(self, key: Key) -> bool:
        mark = self._marks.get(key, "")
        job = self._jobs[key]
        return job.is_current(mark, self._version) or job.is_older_than_decisions(
            mark, self._version
        )

    @cached_property
    def _jobs(self) -> dict[Key, SeriesJob]:
        """What the results were made with, by subject and view."""
        jobs = {}
        for job in series_jobs(self._store, {}):
            held = held_decisions(in_results(self._results.used.get(job.key, ())))
            jobs[job.key] = SeriesJob(with_references(job.photographs, held)[0], held)
        return jobs

    def photograph_path(self, sha256: str) -> Path:
        """Where a photograph lies whose content is still the same.

        Raises
        ------
        InputError
            If it isn't there, or is another one by now.
        """
        for job in self._jobs.values():
            for each in job.photographs:
                if each.sha256 == sha256:
                    self._painter.require_content(each)
                    return each.path
        msg = tr("The study has no such photograph.")
        raise InputError(msg)

    def picture(self, name: str) -> bytes:
        """A picture of a measured photograph, drawn when it is asked for the first time.

        Raises
        ------
        ScalptrackError
            If there is no such picture, or a photograph that it shows is not at hand.
        """
        if name not in self._drawable:
            msg = tr("There is no such picture.")
            raise InputError(msg)
        outcome, kind = self._drawable[name]
        job = self._jobs[outcome.subject, outcome.view]
        content = getattr(self._painter.draw(job, outcome.sha256), kind.replace("-", "_"))
        if content is None:
            msg = tr("There is no such picture of {name}.", name=outcome.name)
            raise InputError(msg)
        return bytes(content.tobytes())

    def is_stale(self, decisions: Mapping[Target, Decision]) -> bool:
        """Whether results rest on other decisions than these."""
        return any(
            each.is_older_than_decisions(self._marks.get(each.key, ""), self._version)
            for each in series_jobs(self._store, decisions)
        )

    def rerun_command(self, decisions: Mapping[Target, Decision]) -> str:  # noqa: ARG002
        """The command that brings the numbers up to date."""
        return shlex.join(["scalptrack", "study", "run", str(self._store.folder.resolve())])


class _Painter:
    """Draws pictures from what a run kept; the last series stays in memory."""

    def __init__(self, store: StudyStore, version: str) -> None:
        self._place = running.work_place(store, version)
        types = {PhotographPictures.__name__: PhotographPictures}
        self._cache = RecordCache(store.cache_folder, types, fingerprint=version)
        self._lock = threading.Lock()
        self._last: tuple[SeriesJob, Series] | None = None

    def require_content(self, photograph: Photograph) -> None:
        """Refuse a photograph that is not what the study was made with.

        Raises
        ------
        InputError
        """
        problem = running.content_problem(photograph, self._place)
        if problem is not None:
            raise InputError(problem.message)

    def draw(self, job: SeriesJob, sha256: str) -> PhotographPictures:
        """Pictures of one photograph of a job.

        Raises
        ------
        InputError
            If a photograph that is shown is not at hand, or nothing can be drawn of this one.
        """
        with self._lock:
            if self._last is None or self._last[0] != job:
                # What is computed now is kept for runs, whose sentences are in the study's
                # language, whatever that of the page is.
                with in_language(self._place.settings.language):
                    self._last = job, running.measured_series(job, self._place)
            series = self._last[1]
        index = next(i for i, each in enumerate(job.photographs) if each.sha256 == sha256)
        for each in (index,) if series.reference is None else (index, series.reference):
            self.require_content(job.photographs[each])
        made = pictures_of(series, index, self._cache, self._place.settings)
        if made is None:
            msg = tr(
                "Nothing can be drawn of {name}: run the study again.",
                name=job.photographs[index].name,
            )
            raise InputError(msg)
        return made


def _rows(results: StudyResults) -> Sequence[Mapping[str, str]]:
    """Rows as ``measurements.csv`` has them, also of photographs that are still to do."""
    table = io.StringIO(measurements_csv(results.outcomes, results.timelines))
    done = {row["sha256"]: row for row in csv.DictReader(table)}
    return [
        done.get(each.sha256)
        or _place(each) | {"photo": each.name, "sha256": each.sha256, "status": TO_DO}
        for each in results.photographs
    ]


def _place(each: Any) -> dict[str, str]:
    """Place of a photograph or outcome as a table has it."""
    return {
        "subject": each.subject,
        "view": each.view,
        "visit_date": each.visit_date.isoformat(),
        "replicate": str(each.replicate),
    }
