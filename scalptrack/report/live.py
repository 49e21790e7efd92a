"""Numbers of the interactive chart: what the page's own script draws, hovers, zooms and hides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from scalptrack.chart.plan import plan_of
from scalptrack.longitudinal.conditions import CONDITION_CODES
from scalptrack.records import Change, Gap, Tier, Timeline, Verdict, VisitCoverage
from scalptrack.report.context import TimelineSection
from scalptrack.translation import marked, tr, trn
from scalptrack.wording import (
    LESS_SURE,
    VERDICT_NAMES,
    less_sure,
    long_date,
    percent,
    points,
    printable,
    sentence_case,
    signed_points,
)

WHOLE = marked("whole compared region")
"""English, to be translated where it is used."""


def live_chart(section: TimelineSection) -> str:
    """JSON of one section's chart; empty when there is nothing to hover over.

    Coverages are percentages, times are days (proleptic ordinals). Every sentence is complete, so
    that a screen reader can say it.
    """
    if not section.timeline.visits:
        return ""
    series = [_series(tr(WHOLE), section.timeline)]
    series += [
        _series(tr("{zone} zone", zone=zone.zone), zone.timeline)
        for zone in section.zones
        if zone.timeline is not None and zone.timeline.visits
    ]
    document = {
        "series": series,
        "events": _events(section.timeline),
        "gaps": _gaps(section.timeline),
        "less_sure": tr(LESS_SURE),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _series(name: str, timeline: Timeline) -> dict[str, Any]:
    changes = {each.visit_date: each for each in timeline.changes}
    visits = [_visit(name, each, changes.get(each.visit_date)) for each in timeline.visits]
    return {"name": name, "visits": visits}


def _visit(name: str, visit: VisitCoverage, change: Change | None) -> dict[str, Any]:
    verdict = "baseline" if change is None else change.verdict.value
    rough = visit.tier is Tier.B
    return {
        "day": visit.visit_date.toordinal(),
        "at": round(100 * visit.coverage_fraction, 3),
        "low": round(100 * visit.low_fraction, 3),
        "high": round(100 * visit.high_fraction, 3),
        "limit": None if change is None else round(100 * change.mdc_fraction, 3),
        "verdict": verdict,
        "hollow": rough,
        "lines": [
            f"{long_date(visit.visit_date)}, {name}",
            tr(
                "{percent} (95 % interval {low} to {high} %), {photographs}",
                percent=percent(visit.coverage_fraction),
                low=points(visit.low_fraction),
                high=points(visit.high_fraction),
                photographs=trn("{count} photograph", "{count} photographs", visit.replicates),
            ),
            _verdict_line(change),
            *([sentence_case(less_sure(visit.aligned_by))] * rough),
        ],
    }


def _verdict_line(change: Change | None) -> str:
    if change is None or change.verdict is Verdict.NOT_COMPARABLE:
        return tr("baseline")
    return tr(
        "{points} points from baseline, detectable from {limit}: {verdict}",
        points=signed_points(change.change_fraction),
        limit=points(change.mdc_fraction),
        verdict=tr(VERDICT_NAMES[change.verdict]),
    )


def _events(timeline: Timeline) -> list[dict[str, Any]]:
    """Events that the still chart shows too: one from years before would squash the visits."""
    plan = plan_of(timeline, heading=False)
    return [
        {"day": each.event_date.toordinal(), "label": printable(each.label)}
        for each in timeline.events
        if plan.first_day <= each.event_date <= plan.last_day
    ]


def _gaps(timeline: Timeline) -> list[dict[str, Any]]:
    """One entry per date with photographs that gave no number, or none that may be compared."""
    measured = {visit.visit_date: visit.replicates for visit in timeline.visits}
    by_day: dict[date, list[Gap]] = {}
    for gap in timeline.gaps:
        if gap.visit_date is not None:
            by_day.setdefault(gap.visit_date, []).append(gap)
    return [
        {
            "day": day.toordinal(),
            "lines": [
                f"{long_date(day)}: {_lack(gaps, measured.get(day, 0))}",
                *dict.fromkeys(printable(gap.reason.message.strip()) for gap in gaps),
            ],
        }
        for day, gaps in by_day.items()
    ]


def _lack(gaps: Sequence[Gap], measured: int) -> str:
    """Write what a visit lacks: any number, or that of some of its photographs."""
    stated = any(gap.reason.code in CONDITION_CODES for gap in gaps)
    if measured == 0:
        return tr("not comparable") if stated else tr("no number")
    photographs = measured + len(gaps)
    if stated:
        return trn(
            "not comparable for {lacking} of {count} photograph",
            "not comparable for {lacking} of {count} photographs",
            photographs,
            lacking=len(gaps),
        )
    return trn(
        "no number for {lacking} of {count} photograph",
        "no number for {lacking} of {count} photographs",
        photographs,
        lacking=len(gaps),
    )
