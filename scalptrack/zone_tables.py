"""What a run says of zones: their timelines, why others aren't given, and ``zones.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from scalptrack.records import Change, Timeline, VisitCoverage, ZoneTimeline
from scalptrack.tables import number
from scalptrack.zones import ZONES, FoundZones

ZONE_COLUMNS = (
    "subject",
    "view",
    "zone",
    "visit_date",
    "photographs",
    "coverage_percent",
    "coverage_low",
    "coverage_high",
    "change_points",
    "change_low",
    "change_high",
    "mdc_points",
    "verdict",
    "sentence",
    "seen_percent",
    "reason",
    "reason_code",
    "tier",
    "aligned_by",
)


def zone_timelines(
    found: Mapping[tuple[str, str], FoundZones],
    timelines: Mapping[tuple[str, str, str], Timeline],
) -> tuple[ZoneTimeline, ...]:
    """Given and withheld zones of all series, in order of subject, view and zone."""
    zones: list[ZoneTimeline] = []
    for (subject, view), one in sorted(found.items()):
        for zone in ZONES:
            timeline = timelines.get((subject, view, zone))
            if zone in one.regions and timeline is not None:
                seen = one.seen_fraction[zone]
                zones.append(ZoneTimeline(subject, view, zone, seen, timeline))
            elif zone in one.withheld:
                zones.append(ZoneTimeline(subject, view, zone, reason=one.withheld[zone]))
    return tuple(zones)


def zones_csv(zones: Sequence[ZoneTimeline]) -> str:
    """``zones.csv``: a row per zone and visit, and one with the reason for each that isn't given.

    Percentages are 0 to 100. A visit without a number has the reason in ``sentence``.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=ZONE_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for zone in zones:
        writer.writerows(_rows(zone))
    return buffer.getvalue()


def _rows(zone: ZoneTimeline) -> Iterator[dict[str, object]]:
    head: dict[str, object] = {"subject": zone.subject, "view": zone.view, "zone": zone.zone}
    if zone.timeline is None:
        if zone.reason is not None:
            yield head | {"reason": zone.reason.message, "reason_code": zone.reason.code}
        return
    head["seen_percent"] = number(100 * zone.seen_fraction, 1)
    visits = {visit.visit_date: visit for visit in zone.timeline.visits}
    changes = {change.visit_date: change for change in zone.timeline.changes}
    for day in sorted({*visits, *changes}):
        row = head | {"visit_date": day.isoformat()}
        yield row | _coverage(visits.get(day)) | _change(changes.get(day))


def _coverage(visit: VisitCoverage | None) -> dict[str, object]:
    if visit is None:
        return {"photographs": 0}
    return {
        "photographs": visit.replicates,
        "coverage_percent": number(100 * visit.coverage_fraction, 3),
        "coverage_low": number(100 * visit.low_fraction, 3),
        "coverage_high": number(100 * visit.high_fraction, 3),
        **_alignment(visit),
    }


def _change(change: Change | None) -> dict[str, object]:
    if change is None:
        return {}
    return {
        "change_points": number(100 * change.change_fraction, 3),
        "change_low": number(100 * change.low_fraction, 3),
        "change_high": number(100 * change.high_fraction, 3),
        "mdc_points": number(100 * change.mdc_fraction, 3),
        **_alignment(change),
        "verdict": change.verdict.value,
        "sentence": change.sentence,
    }


def _alignment(of: VisitCoverage | Change) -> dict[str, object]:
    """Tier and what it rests on; a change's are those of its less sure visit."""
    if of.tier is None:
        return {}
    return {"tier": of.tier.value, "aligned_by": " and ".join(of.aligned_by)}
