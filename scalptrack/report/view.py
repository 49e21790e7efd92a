"""What the template shows, gathered from the records: groups, counts and addresses; no markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from scalptrack.records import (
    COPY_CODES,
    Change,
    Finding,
    Outcome,
    Severity,
    Status,
    Timeline,
    Verdict,
    VisitConditions,
    VisitCoverage,
    ZoneTimeline,
)
from scalptrack.report.context import FollowUpPictures, ReportContext, TimelineSection
from scalptrack.report.inline_svg import inline_svg
from scalptrack.report.live import live_chart
from scalptrack.translation import marked, number, tr
from scalptrack.wording import long_date, signed_points


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """How a verdict is shown: its sign (the chart's shape), its words, and its class of style.

    The words are English, to be translated where they are used.
    """

    sign: str
    words: str
    style: str


VERDICT_WORDS = {
    Verdict.INCREASE: VerdictWords("▲", marked("higher"), "increase"),
    Verdict.DECREASE: VerdictWords("▼", marked("lower"), "decrease"),
    Verdict.NO_DETECTABLE_CHANGE: VerdictWords("●", marked("no detectable change"), "same"),
    Verdict.NOT_COMPARABLE: VerdictWords("×", marked("not comparable"), "none"),
}


@dataclass(frozen=True, slots=True)
class FollowUpView:
    """One visit and the pictures of its photographs; no change for the baseline visit."""

    visit_date: date
    change: Change | None
    pictures: tuple[FollowUpPictures, ...]
    latest: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding and the photograph it is about."""

    name: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone that is given, its latest visit and the change there."""

    zone: ZoneTimeline
    visit: VisitCoverage | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class SectionView:
    """One subject and view, as the template shows it."""

    anchor: str
    section: TimelineSection
    chart: str
    latest: Change | None
    follow_ups: tuple[FollowUpView, ...]
    without_number: tuple[Outcome, ...]
    findings: tuple[FindingView, ...]
    zone_rows: tuple[ZoneRow, ...]
    withheld_zones: tuple[tuple[str, tuple[str, ...]], ...]
    live: str

    @property
    def timeline(self) -> Timeline:
        """The timeline of this section."""
        return self.section.timeline


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole page."""

    context: ReportContext
    counts: dict[str, int]
    sections: tuple[SectionView, ...]
    strays: tuple[Outcome, ...]


def view_of(context: ReportContext) -> ReportView:
    """Gather everything that the template shows."""
    counts = {status.value: 0 for status in Status}
    for outcome in context.outcomes:
        counts[outcome.status.value] += 1
    shown = {(s.timeline.subject, s.timeline.view) for s in context.sections}
    return ReportView(
        context=context,
        counts=counts,
        sections=tuple(
            _section_view(section, f"timeline-{number}")
            for number, section in enumerate(context.sections, start=1)
        ),
        strays=tuple(o for o in context.outcomes if (o.subject, o.view) not in shown),
    )


def _section_view(section: TimelineSection, anchor: str) -> SectionView:
    """Gather one subject and view."""
    timeline = section.timeline
    comparable = [c for c in timeline.changes if c.verdict is not Verdict.NOT_COMPARABLE]
    return SectionView(
        anchor=anchor,
        section=section,
        chart=inline_svg(section.chart_svg, prefix=anchor, label=chart_label(timeline)),
        latest=comparable[-1] if comparable else None,
        follow_ups=_follow_ups(section),
        without_number=tuple(o for o in section.outcomes if o.status is not Status.MEASURED),
        findings=_findings(section.outcomes),
        zone_rows=tuple(_zone_row(each, each.timeline) for each in section.zones if each.timeline),
        withheld_zones=_withheld(section.zones),
        live=live_chart(section),
    )


def _zone_row(zone: ZoneTimeline, timeline: Timeline) -> ZoneRow:
    """Gather what is said of a zone's latest visit."""
    visit = timeline.visits[-1] if timeline.visits else None
    changes = {
        change.visit_date: change
        for change in timeline.changes
        if change.verdict is not Verdict.NOT_COMPARABLE
    }
    return ZoneRow(zone, visit, changes.get(visit.visit_date) if visit else None)


def _withheld(zones: Sequence[ZoneTimeline]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Reasons with the zones that they hold for; a sentence that names its zone is said once."""
    by_reason: dict[str, tuple[str, list[str]]] = {}
    for zone in zones:
        if zone.reason is not None:
            text = zone.reason.message
            text = text.replace(tr("The {zone} zone", zone=zone.zone), tr("This zone"))
            text = text.replace(tr("of the {zone} zone", zone=zone.zone), tr("of this zone"))
            by_reason.setdefault(text, (text, []))[1].append(zone.zone)
    return tuple((text, tuple(names)) for text, names in by_reason.values())


def _follow_ups(section: TimelineSection) -> tuple[FollowUpView, ...]:
    """All visits with a change or a picture, latest first; the latest with pictures is open."""
    changes = {change.visit_date: change for change in section.timeline.changes}
    days = {*changes, *(pictures.visit_date for pictures in section.follow_ups)}
    views: list[FollowUpView] = []
    for day in sorted(days, reverse=True):
        pictures = tuple(p for p in section.follow_ups if p.visit_date == day)
        latest = bool(pictures) and not any(view.latest for view in views)
        views.append(FollowUpView(day, changes.get(day), pictures, latest))
    return tuple(views)


def _findings(outcomes: Sequence[Outcome]) -> tuple[FindingView, ...]:
    """Quality findings and warnings worth a reader's time, each with its photograph."""
    found = [
        FindingView(outcome.name, finding)
        for outcome in outcomes
        for finding in (*(outcome.quality.findings if outcome.quality else ()), *outcome.warnings)
        if finding.severity is not Severity.INFO or finding.code in COPY_CODES
    ]
    return tuple(dict.fromkeys(found))


def chart_label(timeline: Timeline) -> str:
    """Say in words what the chart shows, for those who can't see it."""
    return tr(
        "Chart of visible hair coverage over time, {subject}, {view}: {visits} visits with a "
        "number, {gaps} photographs without. {summary} The tables below hold all numbers.",
        subject=timeline.subject,
        view=timeline.view,
        visits=len(timeline.visits),
        gaps=len(timeline.gaps),
        summary=timeline.summary,
    )


def change_words(change: Change) -> str:
    """Write a change with its interval, e.g. ``"+6.2 points (+3.1 to +9.3)"``."""
    return tr(
        "{points} points ({low} to {high})",
        points=signed_points(change.change_fraction),
        low=signed_points(change.low_fraction),
        high=signed_points(change.high_fraction),
    )


def finding_words(finding: Finding) -> str:
    """Write what was measured and where the limit lies; nothing where nothing was measured."""
    if finding.code in COPY_CODES:
        return ""
    unit = f" {tr(finding.unit)}" if finding.unit else ""
    return tr(
        "{value} (limit {limit})",
        value=number(finding.value, ".4g") + unit,
        limit=number(finding.limit, ".4g") + unit,
    )


def condition_words(conditions: VisitConditions) -> str:
    """Write what the user stated of a visit, e.g. ``"5 March 2024: wet, hair 12 mm long"``."""
    stated = []
    if conditions.days_since_haircut is not None:
        days = number(conditions.days_since_haircut, "g")
        stated.append(tr("last haircut {days} days before", days=days))
    if conditions.hair_length_mm is not None:
        stated.append(tr("hair {mm} mm long", mm=number(conditions.hair_length_mm, "g")))
    answers = (
        (conditions.wet, tr("wet"), tr("dry")),
        (conditions.fibres, tr("hair fibres"), tr("no hair fibres")),
        (conditions.dyed, tr("dyed"), tr("not dyed")),
        (conditions.micropigmentation, tr("micropigmentation"), tr("no micropigmentation")),
    )
    stated += [yes if answer else no for answer, yes, no in answers if answer is not None]
    if conditions.parting:
        stated.append(tr("parting {parting}", parting=conditions.parting))
    if conditions.note:
        stated.append(conditions.note)
    return f"{long_date(conditions.visit_date)}: {', '.join(stated) or tr('nothing stated')}"


def picture_address(address: str) -> str:
    """Percent-encode the path of a picture, so that it can't be anything but a file beside us.

    Raises
    ------
    ValueError
        If it is neither a relative path nor the data of an image.
    """
    if address.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")):
        return address
    outside = address.startswith(("/", "\\")) or "://" in address or ".." in address.split("/")
    if not address or outside:
        raise ValueError(
            f"the address {address[:80]!r} is not a path relative to the report; pass one, or the "
            "data of a PNG or JPEG"
        )
    return quote(address, safe="/", errors="surrogateescape")
