"""An estimate of the Severity of Alopecia Tool (SALT) from photographs of four views.

References
----------
.. [1] Olsen EA et al. Alopecia areata investigational assessment guidelines, part II.
   J Am Acad Dermatol 2004;51:440-447. doi:10.1016/j.jaad.2003.09.032
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date

from scalptrack.records import SaltEstimate, Tier, Timeline, VisitCoverage

SALT_VIEWS = {
    "top": ("vertex", "mid-pattern"),
    "back": ("occipital",),
    "left": ("left-temporal",),
    "right": ("right-temporal",),
}
"""The views that show each area, the first that a visit has."""

SALT_WEIGHTS = {"top": 0.40, "back": 0.24, "left": 0.18, "right": 0.18}

ABSOLUTE_SD_FRACTION = 0.07
"""SD of one photograph's coverage around the truth. lab/benchmarks/coverage.py: the mean absolute
error of 5.1 points is that of a normal distribution with SD 6.4; rounded up, as the worst of 44
photographs was off by 20. It cancels in a change, and it does not cancel here."""


def estimate_salt(timelines: Iterable[Timeline]) -> tuple[SaltEstimate, ...]:
    """SALT estimates at every date that has a coverage in all four views of a subject.

    The loss of an area is taken to be the part of it that no hair covers, so short, fine or light
    hair counts as loss. Of each area only the scalp that its view shows in all visits is known.

    Returns
    -------
    tuple of SaltEstimate
        By subject and date. Errors of the absolute coverage are held to be the same in all four
        views (one head, one kind of hair), so that they don't average out.
    """
    by_subject: dict[str, dict[str, Timeline]] = {}
    for timeline in timelines:
        by_subject.setdefault(timeline.subject, {})[timeline.view] = timeline
    return tuple(
        estimate
        for subject, views in sorted(by_subject.items())
        for estimate in _of_subject(subject, views)
    )


def _of_subject(subject: str, views: dict[str, Timeline]) -> list[SaltEstimate]:
    areas = {area: _by_date([views[v] for v in names if v in views]) for area, names in _areas()}
    dates = set.intersection(*(set(found) for found in areas.values()))
    return [
        _estimate(subject, day, {area: found[day] for area, found in areas.items()})
        for day in sorted(dates)
    ]


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
        tier=max((visit.tier for visit in visits.values()), key=list(Tier).index),
        aligned_by=tuple(sorted({each for visit in visits.values() for each in visit.aligned_by})),
    )
