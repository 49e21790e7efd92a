"""What is written where on a timeline chart: texts, rows, ranges and ticks; nothing is drawn.

Sizes are in inches, chosen to be read on a phone 390 px wide and on paper.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from scalptrack.records import Change, Event, Tier, Timeline, Verdict, VisitCoverage
from scalptrack.translation import marked, tr, trn
from scalptrack.wording import (
    LESS_SURE,
    SHORT_MONTHS,
    long_date,
    printable,
    rough_words,
    short_date,
    shortened,
)

MINIMUM_SPAN = 30.0
"""Percentage points that the vertical axis shows at least: a drug's 5 points in a year then fill
a sixth of the height, and noise of 2 points can't look like a landslide."""

WIDTH_IN = 4.8
MARGIN_IN = 0.14
LEFT_IN = 0.6
PLOT_HEIGHT_IN = 2.5
LANE_HEIGHT_IN = 0.28
LANE_GAP_IN = 0.1
TICKS_HEIGHT_IN = 0.46
LINE_IN = 0.175
BODY_CHARACTERS = 63
MAXIMUM_REASONS = 5

UNCALIBRATED = marked("Uncalibrated: take two photographs per visit.")
"""English, to be translated where it is used."""

INK = "#1f2933"
QUIET_INK = "#52606d"
BAND = "#d9e2ec"


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """How a kind of visit is drawn and what the legend calls it; no marker: a filled area.

    The label is English, to be translated where it is used.
    """

    marker: str
    colour: str
    label: str
    hollow: bool = False
    size_pt: float = 8.5


# Okabe and Ito's blue and vermilion (darkened for contrast on white) stay apart for all common
# forms of colour blindness; the shapes say the same without any colour.
VERDICT_STYLE = {
    Verdict.INCREASE: MarkStyle("^", "#0072b2", marked("higher than at baseline")),
    Verdict.DECREASE: MarkStyle("v", "#b34700", marked("lower than at baseline")),
    Verdict.NO_DETECTABLE_CHANGE: MarkStyle("o", QUIET_INK, marked("no detectable change")),
}
BASELINE_STYLE = MarkStyle("s", INK, marked("baseline"))
BAND_STYLE = MarkStyle("", BAND, marked("can't be told from baseline"))
TIER_B_STYLE = MarkStyle("o", QUIET_INK, marked("hollow: {less_sure}"), hollow=True)
REPLICATE_STYLE = MarkStyle(".", QUIET_INK, marked("single photograph"), size_pt=4.0)


@dataclass(frozen=True, slots=True)
class MissingVisit:
    """All gaps of one date: the number of its cross and its line in the list below."""

    number: int
    day: date | None
    line: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is written around the plot, and the time span of the plot."""

    title: str
    subtitle: tuple[str, ...]
    event_rows: tuple[tuple[Event, ...], ...]
    missing: tuple[MissingVisit, ...]
    footer: tuple[str, ...]
    bold: tuple[str, ...]
    first_day: date
    last_day: date
    legend: tuple[MarkStyle, ...]

    @property
    def lane(self) -> bool:
        """True when some gap has a date and so a place on the time axis."""
        return any(missing.day is not None for missing in self.missing)

    @property
    def header_in(self) -> float:
        """Height of title and subtitle."""
        title = 0.3 if self.title else 0.0
        return title + LINE_IN * len(self.subtitle) + (0.16 if self.subtitle else 0.06)

    @property
    def events_in(self) -> float:
        """Height of the rows of event labels."""
        return LINE_IN * len(self.event_rows) + (0.06 if self.event_rows else 0.0)

    @property
    def legend_in(self) -> float:
        """Height of the legend, two entries per row."""
        return 0.2 * math.ceil(len(self.legend) / 2) + (0.06 if self.legend else 0.0)

    @property
    def footer_in(self) -> float:
        """Height of the lines below the legend."""
        return LINE_IN * len(self.footer) + (0.06 if self.footer else 0.0)

    @property
    def height_in(self) -> float:
        """Height of the figure."""
        lane = LANE_HEIGHT_IN + LANE_GAP_IN if self.lane else 0.0
        plot = self.events_in + PLOT_HEIGHT_IN + lane + TICKS_HEIGHT_IN
        return self.header_in + plot + self.legend_in + self.footer_in + 2 * MARGIN_IN


def plan_of(timeline: Timeline, *, heading: bool) -> Plan:
    """Decide what is written where."""
    missing = _missing_visits(timeline)
    first_day, last_day = _time_span(timeline)
    span = max((last_day - first_day).days, 1)
    shown = [e for e in timeline.events if first_day <= e.event_date <= last_day]
    hidden = [e for e in timeline.events if e not in shown]
    footer = [line for item in missing[:MAXIMUM_REASONS] for line in item.line.splitlines()]
    if len(missing) > MAXIMUM_REASONS:
        more = trn(
            "… and {count} more visit without a number",
            "… and {count} more visits without a number",
            len(missing) - MAXIMUM_REASONS,
        )
        footer.append(more)
    for event in hidden:
        day = long_date(event.event_date)
        footer += _wrapped(tr("Outside this time: {label}, {day}", label=event.label, day=day), 1)
    footer += rough_lines([timeline])
    if timeline.trend_words and heading:
        footer += _wrapped(timeline.trend_words, 10)
    bold = []
    if timeline.sd_source == "prior" and timeline.visits:
        bold = _wrapped(tr(UNCALIBRATED), 2)
    title = shortened(f"{printable(timeline.subject)} · {printable(timeline.view)}", 38)
    return Plan(
        title=title if heading else "",
        subtitle=tuple(_wrapped(timeline.summary, 12)) if heading else (),
        event_rows=_event_rows(shown, first_day, span),
        missing=missing,
        footer=(*footer, *bold),
        bold=tuple(bold),
        first_day=first_day,
        last_day=last_day,
        legend=legend_of([timeline]),
    )


def legend_of(timelines: Sequence[Timeline]) -> tuple[MarkStyle, ...]:
    """Only what a chart of these timelines really shows."""
    visits = [visit for each in timelines for visit in each.visits]
    if not visits:
        return ()
    verdicts = {change.verdict for each in timelines for change in each.changes}
    entries = [BASELINE_STYLE, *(VERDICT_STYLE[v] for v in VERDICT_STYLE if v in verdicts)]
    entries.append(BAND_STYLE)
    if any(visit.tier is Tier.B for visit in visits):
        entries.append(TIER_B_STYLE)
    if any(visit.replicates > 1 for visit in visits):
        entries.append(REPLICATE_STYLE)
    return tuple(entries)


def rough_lines(timelines: Sequence[Timeline]) -> list[str]:
    """What hollow marks are aligned by, and when."""
    days: dict[str, set[date]] = {}
    visits = [visit for each in timelines for visit in each.visits if visit.tier is Tier.B]
    for visit in sorted(visits, key=lambda each: each.visit_date):
        days.setdefault(rough_words(visit.aligned_by), set()).add(visit.visit_date)
    parts = [
        tr(
            "aligned {by} ({days})",
            by=words,
            days=", ".join(short_date(day) for day in sorted(when)),
        )
        for words, when in days.items()
    ]
    if not parts:
        return []
    text = tr("Hollow, {less_sure}: {parts}.", less_sure=tr(LESS_SURE), parts="; ".join(parts))
    return _wrapped(text, 4)


def style_of(visit: VisitCoverage, timeline: Timeline) -> MarkStyle:
    """Mark of a visit: baseline, or the verdict of its change."""
    change = comparable_changes(timeline).get(visit.visit_date)
    return BASELINE_STYLE if change is None else VERDICT_STYLE[change.verdict]


def band_steps(timeline: Timeline, last_day: date) -> tuple[list[float], list[float]]:
    """Where the band around baseline has its steps: ordinal days (N,) and limits (N,) in fractions.

    Each visit's own limit holds from half-way after the visit before it to half-way to the next.
    """
    baseline = baseline_of(timeline)
    if baseline is None:
        return [], []
    changes = comparable_changes(timeline)
    limits = [change.mdc_fraction for change in changes.values()] or [timeline.mdc_fraction]
    visits = [day.toordinal() for day in changes]
    halfway = [(a + b) / 2 for a, b in pairwise(visits)]
    edges = [float(baseline.visit_date.toordinal()), *halfway, float(last_day.toordinal())]
    days = [edge for pair in pairwise(edges) for edge in pair]
    return days, [limit for limit in limits for _ in range(2)]


def _wrapped(text: str, lines: int, *, indent: str = "") -> list[str]:
    """Break a text into at most so many lines of the chart's width."""
    return textwrap.wrap(
        printable(text),
        BODY_CHARACTERS,
        max_lines=lines,
        placeholder=" …",
        break_on_hyphens=False,
        subsequent_indent=indent,
    )


def _missing_visits(timeline: Timeline) -> tuple[MissingVisit, ...]:
    """One entry per date with photographs that gave no number, and one for those without date."""
    by_day: dict[date | None, list[str]] = {}
    for gap in timeline.gaps:
        by_day.setdefault(gap.visit_date, []).append(gap.reason.message.strip())
    measured = {visit.visit_date: visit.replicates for visit in timeline.visits}
    entries = []
    for number, (day, messages) in enumerate(by_day.items(), start=1):
        when = tr("no date") if day is None else short_date(day)
        if day in measured:
            photographs = measured[day] + len(messages)
            lacking = tr(
                "{lacking} of {count} photographs", lacking=len(messages), count=photographs
            )
            when += f" ({lacking})"
        text = f"× {number}  {when}: {' '.join(dict.fromkeys(messages))}"
        entries.append(MissingVisit(number, day, "\n".join(_wrapped(text, 2, indent="       "))))
    return tuple(entries)


def _time_span(timeline: Timeline) -> tuple[date, date]:
    """First and last day of the axis: visits, gaps and near events, with a margin."""
    days = [visit.visit_date for visit in timeline.visits]
    days += [gap.visit_date for gap in timeline.gaps if gap.visit_date is not None]
    if not days:
        days = [event.event_date for event in timeline.events] or [date(2000, 1, 1)]
    first, last = min(days), max(days)
    reach = max((last - first) // 2, timedelta(days=30))
    near = [e.event_date for e in timeline.events if first - reach <= e.event_date <= last + reach]
    first, last = min([first, *near]), max([last, *near])
    margin = max((last - first) * 0.05, timedelta(days=10))
    return first - margin, last + margin


def _event_rows(
    events: Sequence[Event], first_day: date, span: int
) -> tuple[tuple[Event, ...], ...]:
    """Deal event labels into rows, so that no two of a row overlap."""
    rows: list[list[Event]] = []
    ends: list[float] = []
    for event in sorted(events, key=lambda e: (e.event_date, e.label)):
        position = (event.event_date - first_day).days / span
        width = 0.0172 * len(event_label(event)) + 0.03
        start = min(position, 1.0 - width)
        for row, end in enumerate(ends):
            if start >= end:
                rows[row].append(event)
                ends[row] = start + width
                break
        else:
            rows.append([event])
            ends.append(start + width)
    return tuple(tuple(row) for row in rows)


def event_label(event: Event) -> str:
    """Label of an event, short enough for its row."""
    return shortened(printable(event.label), 40)


def baseline_of(timeline: Timeline) -> VisitCoverage | None:
    """Return the visit that changes are counted from."""
    return timeline.visits[0] if timeline.visits else None


def comparable_changes(timeline: Timeline) -> dict[date, Change]:
    """Changes that have a number, by date."""
    return {
        change.visit_date: change
        for change in timeline.changes
        if change.verdict is not Verdict.NOT_COMPARABLE
    }


def percent_range(timeline: Timeline) -> tuple[float, float, float]:
    """Lowest and highest percentage of the vertical axis, and the step of its ticks.

    Everything drawn fits, at least `MINIMUM_SPAN` points are shown, and nothing beyond 0 to 100.
    """
    baseline = baseline_of(timeline)
    if baseline is None:
        return 0.0, 100.0, 20.0
    limits = [c.mdc_fraction for c in comparable_changes(timeline).values()] or [
        timeline.mdc_fraction
    ]
    reach = max(limits)
    lows = [v.low_fraction for v in timeline.visits] + [baseline.coverage_fraction - reach]
    highs = [v.high_fraction for v in timeline.visits] + [baseline.coverage_fraction + reach]
    for visit in timeline.visits:
        lows += visit.replicate_fractions
        highs += visit.replicate_fractions
    low, high = 100 * min(lows) - 1.0, 100 * max(highs) + 1.0
    missing = MINIMUM_SPAN - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    if low < 0:
        low, high = 0.0, max(high, MINIMUM_SPAN)
    if high > 100:
        low, high = min(low, 100.0 - MINIMUM_SPAN), 100.0
    step = 5.0 if high - low <= 40 else 10.0 if high - low <= 70 else 20.0
    return max(math.floor(low / step) * step, 0.0), min(math.ceil(high / step) * step, 100.0), step


def time_ticks(first_day: date, last_day: date) -> list[tuple[date, str]]:
    """Ticks of a true time axis: whole months, or days when the series is short.

    The year is written below the first tick and below each January. At most 8 ticks, so that they
    can be read on a phone.
    """
    span = (last_day - first_day).days
    if span < 75:
        step = timedelta(days=7 if span < 50 else 14)
        start = first_day + timedelta(days=4)
        days = [start + step * index for index in range(span // step.days + 1)]
    else:
        months = next((m for m in (1, 2, 3, 6, 12, 24, 60) if span / (30.44 * m) <= 8), 120)
        total = range(first_day.year * 12, last_day.year * 12 + 12)
        days = [date(m // 12, m % 12 + 1, 1) for m in total if m % max(months, 1) == 0]
    ticks = []
    year = None
    for day in (day for day in days if first_day <= day <= last_day):
        name = tr(SHORT_MONTHS[day.month - 1])
        label = tr("{day} {month}", day=day.day, month=name) if span < 75 else name
        ticks.append((day, label if day.year == year else f"{label}\n{day.year}"))
        year = day.year
    return ticks
