"""An estimate of the Severity of Alopecia Tool (SALT) from photographs of four views.

References
----------
.. [1] Olsen EA et al. Alopecia areata investigational assessment guidelines, part II.
   J Am Acad Dermatol 2004;51:440-447. doi:10.1016/j.jaad.2003.09.032
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from scalptrack.longitudinal.components import rough_alignments, worst_tier
from scalptrack.longitudinal.conditions import FILE, conditions_by_date
from scalptrack.records import SaltEstimate, Timeline, VisitCoverage
from scalptrack.translation import tr
from scalptrack.wording import long_date

SALT_VIEWS = {
    "top": ("vertex", "mid-pattern"),
    "back": ("occipital",),
    "left": ("left-temporal",),
    "right": ("right-temporal",),
}
"""The views that show each area, the first that a visit has."""

SALT_WEIGHTS = {"top": 0.40, "back": 0.24, "left": 0.18, "right": 0.18}

ABSOLUTE_SD_FRACTION = 0.11
"""SD of one photograph's coverage around the truth. lab/benchmarks/people.py, measured people of
another renderer in all views: root mean square error 10.0 points (48 people), and 11.0 with the
version before (47 others). lab/benchmarks/coverage.py, people like those of the training, has 4.0
points as mean absolute error; photographs unlike the training are nearer to the former. It cancels
in a change, and it does not cancel here."""


def estimate_salt(timelines: Iterable[Timeline]) -> tuple[SaltEstimate, ...]:
    """SALT estimates at every date that has a coverage in all four views of a subject.

    The loss of an area is taken to be the part of it that no hair covers, so short, fine or light
    hair counts as loss. Of each area only the scalp that its view shows in all visits is known.

    Returns
    -------
    tuple of SaltEstimate
        By subject and date; none at a visit with micropigmentation, which would count as hair
        (`withheld_salt` says so). Errors of the absolute coverage are held to be the same in all
        four views (one head, one kind of hair), so that they don't average out.
    """
    return tuple(
        _estimate(subject, day, visits)
        for subject, day, visits, pigmented in _complete_visits(timelines)
        if not pigmented
    )


def withheld_salt(timelines: Iterable[Timeline]) -> tuple[str, ...]:
    """Sentences on the visits with all four views that get no estimate, one for each subject."""
    days: dict[str, list[date]] = {}
    for subject, day, _, pigmented in _complete_visits(timelines):
        if pigmented:
            days.setdefault(subject, []).append(day)
    return tuple(
        tr(
            "SALT is not estimated for {subject} on {days}: there was micropigmentation ({file}), "
            "which looks like hair, so that loss would be taken for hair.",
            subject=subject,
            days=", ".join(long_date(day) for day in when),
            file=FILE,
        )
        for subject, when in days.items()
    )


def _complete_visits(
    timelines: Iterable[Timeline],
) -> Iterator[tuple[str, date, dict[str, VisitCoverage], bool]]:
    """Subject, date and coverages of the visits with all four views, and if they're pigmented."""
    by_subject: dict[str, dict[str, Timeline]] = {}
    for timeline in timelines:
        by_subject.setdefault(timeline.subject, {})[timeline.view] = timeline
    for subject, views in sorted(by_subject.items()):
        areas = {area: _by_date([views[v] for v in own if v in views]) for area, own in _areas()}
        days = sorted(set.intersection(*(set(found) for found in areas.values())))
        stated = {each for timeline in views.values() for each in timeline.conditions}
        conditions = conditions_by_date(stated, subject, days)
        for day in days:
            visits = {area: found[day] for area, found in areas.items()}
            yield subject, day, visits, bool(conditions[day].micropigmentation)


def _areas() -> list[tuple[str, tuple[str, ...]]]:
    return list(SALT_VIEWS.items())


def _by_date(timelines: Sequence[Timeline]) -> dict[date, VisitCoverage]:
    """Visits by date; the first timeline that has a date counts."""
    found: dict[date, VisitCoverage] = {}
    for timeline in timelines:
        for visit in timeline.visits:
            found.setdefault(visit.visit_date, visit)
    return found


def _estimate(subject: str, day: date, visits: dict[str, VisitCoverage]) -> SaltEstimate:
    loss = {area: 1.0 - visit.coverage_fraction for area, visit in visits.items()}
    score = math.fsum(SALT_WEIGHTS[area] * each for area, each in loss.items())
    own = math.fsum((SALT_WEIGHTS[area] * visits[area].sd_fraction) ** 2 for area in visits)
    half = 1.96 * math.sqrt(own + ABSOLUTE_SD_FRACTION**2)
    return SaltEstimate(
        subject=subject,
        visit_date=day,
        salt=100.0 * score,
        low=100.0 * max(score - half, 0.0),
        high=100.0 * min(score + half, 1.0),
        loss_percent={area: 100.0 * each for area, each in loss.items()},
        tier=worst_tier(visit.tier for visit in visits.values()),
        aligned_by=rough_alignments(visits.values()),
    )
