"""Timelines: what can be said about each subject and view, from the outcomes of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from scalptrack.longitudinal.agreement import Estimate, sd_estimate
from scalptrack.longitudinal.components import (
    ErrorModel,
    Reading,
    SpreadOfReplicates,
    WithinSubject,
    by_visit,
    effective_dof,
    error_parts,
    floor_of_components,
    reading_of,
    rough_alignments,
    shared_variance,
    spread_of_replicates,
    visit_variance,
    within_subject,
    worst_tier,
)
from scalptrack.longitudinal.conditions import (
    CONDITION_CODES,
    FILE,
    barrier,
    baseline_among,
    caveats,
    conditions_by_date,
)
from scalptrack.longitudinal.hair_index import hair_index, hair_index_change
from scalptrack.longitudinal.intervals import MDC95_FACTOR, interval, many_to_one_quantile
from scalptrack.longitudinal.trend import fit_trend
from scalptrack.longitudinal.verdicts import (
    FIRST_VISIT,
    alignment_sentence,
    as_sentence,
    baseline_doubt,
    baseline_words,
    change_sentence,
    counted_from,
    not_comparable,
    reach_sentence,
    summarise,
    verdict_of,
)
from scalptrack.records import (
    Change,
    Event,
    Gap,
    Outcome,
    Reason,
    Status,
    Tier,
    Timeline,
    Trend,
    VisitConditions,
    VisitCoverage,
)
from scalptrack.translation import marked, tr

UNCALIBRATED = marked(
    "Uncalibrated: there are too few repeated photographs to know how much two photographs of one "
    "visit differ, so that part of the error is assumed. Take two photographs per visit."
)

PIGMENTED = marked(
    "Micropigmentation was there at all compared visits ({file}). It counts as hair: there is "
    "less hair than these coverages say."
)


@dataclass(frozen=True, slots=True)
class _Series:
    """The outcomes of one subject and view, parted into numbers and gaps."""

    subject: str
    view: str
    outcomes: tuple[Outcome, ...]
    readings: tuple[Reading, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    stated: dict[date, VisitConditions] = field(default_factory=dict)


def build_timelines(
    outcomes: Sequence[Outcome],
    *,
    events: Sequence[Event] = (),
    conditions: Sequence[VisitConditions] = (),
    error_model: ErrorModel | None = None,
) -> tuple[Timeline, ...]:
    """Timelines of all subjects and views among the outcomes, whether measured or not.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per file of the run, in any order. Those without subject or view belong to no timeline.
    events : sequence of Event
        What the user wants to see on the time axis; one without a subject goes to all.
    conditions : sequence of VisitConditions
        What the user stated of the visits. Where they forbid a comparison, the visit becomes a gap
        and takes part in no number; the baseline is the earliest visit that they leave.
    error_model : ErrorModel, optional
        The prior of the within-subject SD and the factors of the tiers.

    Returns
    -------
    tuple of Timeline
        In order of subject and view; the same for any order of the outcomes.

    Notes
    -----
    The baseline is the first visit, or the earliest visit with a number when the first has none,
    which is then said in ``notes`` and in every sentence. A change is an increase or decrease when
    it exceeds ``mdc_fraction`` of its `Change`: the many-to-one (Dunnett) quantile for all
    comparable follow-ups of the timeline, times the standard error of this change. At most 5 % of
    unchanged timelines then show any verdict of change, however many visits they have. The limit
    grows with every visit added, so a verdict near the limit may be withdrawn later.

    The interval of a change is the 95 % interval of that change on its own. It may exclude zero
    while the verdict is "no detectable change": one look was precise, but there were many.
    """
    model = error_model or ErrorModel()
    series = [_set_aside(one, conditions) for one in _part_by_view(outcomes)]
    spreads = [spread_of_replicates(one.readings, model=model) for one in series]
    total = sum(spreads, SpreadOfReplicates())
    return tuple(
        _timeline(
            one,
            within_subject(
                own,
                total - own,
                floor_sd_fraction=floor_of_components(one.readings),
                model=model,
            ),
            events=events,
            conditions=[each for each in conditions if each.subject == one.subject],
            model=model,
        )
        for one, own in zip(series, spreads, strict=True)
    )


def _part_by_view(outcomes: Sequence[Outcome]) -> list[_Series]:
    """One series per subject and view, in their order."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda o: o.name):
        if outcome.subject and outcome.view:
            groups.setdefault((outcome.subject, outcome.view), []).append(outcome)
    return [
        _part_numbers_and_gaps(subject, view, tuple(members))
        for (subject, view), members in sorted(groups.items())
    ]


def _part_numbers_and_gaps(subject: str, view: str, outcomes: tuple[Outcome, ...]) -> _Series:
    """Part outcomes into readings and gaps; a file that was copied counts once per visit."""
    readings: dict[tuple[date, str], Reading] = {}
    gaps: list[Gap] = []
    notes: list[str] = []
    for outcome in outcomes:
        reading = reading_of(outcome)
        if reading is None:
            reason = outcome.reason or _missing_reason(outcome)
            gaps.append(Gap(outcome.visit_date, outcome.replicate, outcome.name, reason))
            continue
        key = (reading.visit_date, reading.sha256 or reading.name)
        if key in readings:
            notes.append(
                tr(
                    "{copy} is the same file as {original}; a copy says nothing about "
                    "repeatability, so it is counted once.",
                    copy=reading.name,
                    original=readings[key].name,
                )
            )
        else:
            readings[key] = reading
    return _Series(subject, view, outcomes, tuple(readings.values()), _in_order(gaps), tuple(notes))


def _in_order(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Gaps by date, those without one last."""
    return tuple(
        sorted(gaps, key=lambda gap: (gap.visit_date or date.max, gap.replicate or 0, gap.name))
    )


def _set_aside(series: _Series, conditions: Sequence[VisitConditions]) -> _Series:
    """Turn readings of visits into gaps that can't be compared by what the user stated of them."""
    dates = {reading.visit_date for reading in series.readings}
    stated = conditions_by_date(conditions, series.subject, dates)
    baseline_date = baseline_among(sorted(dates), stated)
    baseline = stated[baseline_date] if baseline_date else None
    reasons = {day: barrier(stated[day], baseline) for day in dates}
    aside = [
        Gap(each.visit_date, each.replicate, each.name, reason)
        for each in series.readings
        if (reason := reasons[each.visit_date]) is not None
    ]
    kept = tuple(each for each in series.readings if reasons[each.visit_date] is None)
    return replace(series, readings=kept, gaps=_in_order([*series.gaps, *aside]), stated=stated)


def _missing_reason(outcome: Outcome) -> Reason:
    """Say why an outcome without a reason holds no number that can be used."""
    if outcome.status is not Status.MEASURED:
        words = tr("{name} gave no number and no reason was recorded.", name=outcome.name)
        return Reason("no_reason", words)
    if outcome.visit_date is None:
        words = tr("{name} has no visit date, so it has no place in time.", name=outcome.name)
        return Reason("no_date", words)
    return Reason("no_number", tr("{name} has no coverage that can be used.", name=outcome.name))


def _timeline(
    series: _Series,
    within: WithinSubject,
    *,
    events: Sequence[Event],
    conditions: Sequence[VisitConditions],
    model: ErrorModel,
) -> Timeline:
    """Assemble the timeline of one series."""
    by_date = by_visit(series.readings)
    variances = [visit_variance(members, within, model) for members in by_date.values()]
    shared = [shared_variance(members, model) for members in by_date.values()]
    dof = effective_dof(variances, shared, within, model)
    visits = tuple(
        _visit(members, variance, dof)
        for members, variance in zip(by_date.values(), variances, strict=True)
    )
    gap_dates = {gap.visit_date for gap in series.gaps if gap.visit_date is not None}
    first_date = min([*by_date, *gap_dates], default=None)
    baseline_date = visits[0].visit_date if visits else None
    changes = _changes(series, visits, dof, first_date, model.confidence)
    mdc = _detectable_change(series.readings, within, model)
    trend = _trend(visits, dof, changes)
    return Timeline(
        subject=series.subject,
        view=series.view,
        reference_name=_reference_name(series),
        visits=visits,
        gaps=series.gaps,
        changes=changes,
        within_sd_fraction=within.sd_fraction,
        sd_source=within.source,
        sd_degrees_of_freedom=within.dof,
        effective_degrees_of_freedom=dof,
        mdc_fraction=mdc.value,
        mdc_low_fraction=mdc.low,
        mdc_high_fraction=mdc.high,
        error_parts=error_parts(series.readings, within, model),
        trend=trend if isinstance(trend, Trend) else None,
        trend_reason=trend if isinstance(trend, Reason) else None,
        events=_events_of(series.subject, events),
        baseline_date=baseline_date,
        summary=summarise(
            measured_visits=len(visits),
            changes=changes,
            gaps=series.gaps,
            baseline_date=baseline_date,
        ),
        notes=(
            *_notes(series, first_date, baseline_date, within),
            *baseline_doubt(visits, changes, first_date),
        ),
        conditions=tuple(sorted(conditions, key=lambda each: each.visit_date)),
    )


def _trend(
    visits: tuple[VisitCoverage, ...], dof: float, changes: Sequence[Change]
) -> Trend | Reason:
    """The line through the visits, which says that what was stated of them moves it."""
    trend = fit_trend(visits, dof)
    if isinstance(trend, Reason) or not any(change.caveats for change in changes):
        return trend
    more = tr("What is stated beside the changes ({file}) moves it too.", file=FILE)
    return replace(trend, sentence=f"{trend.sentence} {more}")


def _detectable_change(
    readings: Sequence[Reading], within: WithinSubject, model: ErrorModel
) -> Estimate:
    """MDC95 between two single photographs, with the interval that the degrees of freedom leave."""
    shared = shared_variance(readings, model)
    variance = within.sd_fraction**2 + shared
    dof = effective_dof([variance], [shared], within, model)
    return sd_estimate(variance, dof).times(MDC95_FACTOR)


def _visit(members: Sequence[Reading], variance: float, dof: float) -> VisitCoverage:
    """Mean of one visit's photographs with its interval."""
    values = tuple(reading.coverage_fraction for reading in members)
    mean = math.fsum(values) / len(values)
    sd = math.sqrt(variance)
    low, high = interval(mean, sd, dof, lowest=0.0, highest=1.0)
    return VisitCoverage(
        visit_date=members[0].visit_date,
        coverage_fraction=mean,
        sd_fraction=sd,
        low_fraction=low,
        high_fraction=high,
        replicates=len(values),
        tier=worst_tier(reading.tier for reading in members),
        replicate_fractions=values,
        hair_index=hair_index(mean),
        hair_index_low=hair_index(low),
        hair_index_high=hair_index(high),
        aligned_by=tuple(
            sorted({each.aligned_by for each in members if each.tier is Tier.B} - {""})
        ),
    )


def _changes(
    series: _Series,
    visits: tuple[VisitCoverage, ...],
    dof: float,
    first_date: date | None,
    confidence: float,
) -> tuple[Change, ...]:
    """Changes from baseline at every other visit, in order of date, comparable or not."""
    baseline = visits[0] if visits else None
    baseline_date = baseline.visit_date if baseline else None
    named = baseline_words(first_date, baseline_date) if first_date and baseline_date else ""
    changes = [] if baseline is None else _measured_changes(series, visits, dof, named, confidence)
    measured_dates = {visit.visit_date for visit in visits}
    missing: dict[date, list[Gap]] = {}
    for gap in series.gaps:
        if gap.visit_date is not None and gap.visit_date not in measured_dates:
            missing.setdefault(gap.visit_date, []).append(gap)
    for visit_date, gaps in missing.items():
        if baseline is None and visit_date == first_date:
            continue
        changes.append(
            not_comparable(
                gaps,
                subject=series.subject,
                view=series.view,
                visit_date=visit_date,
                baseline_date=baseline_date,
                baseline=named or tr(FIRST_VISIT),
            )
        )
    return tuple(sorted(changes, key=lambda change: change.visit_date))


def _measured_changes(
    series: _Series, visits: tuple[VisitCoverage, ...], dof: float, named: str, confidence: float
) -> list[Change]:
    """Changes from baseline at the visits that have a number."""
    baseline, follow_ups = visits[0], visits[1:]
    if not follow_ups:
        return []
    quantile = many_to_one_quantile(
        baseline.sd_fraction**2,
        [visit.sd_fraction**2 for visit in follow_ups],
        dof,
        confidence=confidence,
    )
    changes = []
    for visit in follow_ups:
        difference = visit.coverage_fraction - baseline.coverage_fraction
        standard_error = math.hypot(visit.sd_fraction, baseline.sd_fraction)
        low, high = interval(difference, standard_error, dof, lowest=-1.0, highest=1.0)
        limit = quantile * standard_error
        index_change, index_low, index_high = hair_index_change(baseline, visit)
        sentence = change_sentence(difference, low, high, limit, named)
        reach = reach_sentence(
            difference, limit, baseline_fraction=baseline.coverage_fraction, named=named
        )
        rough = alignment_sentence(visit, baseline, named)
        known = caveats(
            series.stated[visit.visit_date],
            series.stated[baseline.visit_date],
            coverage_fraction=baseline.coverage_fraction,
            named=named,
        )
        changes.append(
            Change(
                subject=series.subject,
                view=series.view,
                baseline_date=baseline.visit_date,
                visit_date=visit.visit_date,
                change_fraction=difference,
                low_fraction=low,
                high_fraction=high,
                mdc_fraction=limit,
                verdict=verdict_of(difference, limit),
                sentence=" ".join([sentence, *filter(None, [reach, rough]), *known]),
                caveats=known,
                tier=worst_tier((visit.tier, baseline.tier)),
                aligned_by=rough_alignments((visit, baseline)),
                hair_index_change=index_change,
                hair_index_change_low=index_low,
                hair_index_change_high=index_high,
            )
        )
    return changes


def _reference_name(series: _Series) -> str:
    """Name of the reference photograph; empty when none was chosen or measured."""
    for outcome in series.outcomes:
        if outcome.is_reference:
            return outcome.name
    earliest = sorted(series.readings, key=lambda r: (r.visit_date, r.replicate, r.name))
    return earliest[0].name if earliest else ""


def _events_of(subject: str, events: Sequence[Event]) -> tuple[Event, ...]:
    """Events of this subject and those of everybody, in order of date."""
    mine = [event for event in events if event.subject in ("", subject)]
    return tuple(sorted(mine, key=lambda event: (event.event_date, event.label)))


def _notes(
    series: _Series,
    first_date: date | None,
    baseline_date: date | None,
    within: WithinSubject,
) -> tuple[str, ...]:
    """What has to be known to read the numbers of this timeline."""
    notes = list(series.notes)
    if first_date is not None and baseline_date is not None and first_date != baseline_date:
        missing = [gap.reason for gap in series.gaps if gap.visit_date == first_date]
        reasons = dict.fromkeys(as_sentence(reason.message) for reason in missing)
        compared = all(reason.code not in CONDITION_CODES for reason in missing)
        counted = counted_from(first_date, baseline_date, compared=compared)
        notes.append(f"{counted} {' '.join(reasons)}")
    if baseline_date is not None and series.stated[baseline_date].micropigmentation:
        notes.append(tr(PIGMENTED, file=FILE))
    if within.source == "prior" and baseline_date is not None:
        notes.append(tr(UNCALIBRATED))
    return tuple(notes)
