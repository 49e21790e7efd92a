"""What can be said about a change, in a sentence that claims no more than the numbers do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from scalptrack.longitudinal.conditions import CONDITION_CODES
from scalptrack.records import Change, Gap, Tier, Verdict, VisitCoverage
from scalptrack.wording import (
    LESS_SURE,
    SAME_HEAD,
    long_date,
    percent,
    plural,
    points,
    rough_words,
    sentence_case,
    signed_points,
    span_words,
)

FIRST_VISIT = "the first visit"

MINIMUM_ALIKE = 3
"""Follow-ups that have to agree before the baseline is named as the one that stands apart."""


def verdict_of(change_fraction: float, limit_fraction: float) -> Verdict:
    """Increase or decrease only when the change exceeds the limit.

    Examples
    --------
    >>> verdict_of(0.05, 0.04), verdict_of(-0.04, 0.04)
    (<Verdict.INCREASE: 'increase'>, <Verdict.NO_DETECTABLE_CHANGE: 'no detectable change'>)
    """
    if change_fraction > limit_fraction:
        return Verdict.INCREASE
    if change_fraction < -limit_fraction:
        return Verdict.DECREASE
    return Verdict.NO_DETECTABLE_CHANGE


def change_sentence(
    change_fraction: float, low: float, high: float, limit: float, baseline: str
) -> str:
    """Say how much the coverage differs from the baseline and which differences can be told.

    Parameters
    ----------
    change_fraction, low, high, limit : float
        Change, its 95 % interval and the smallest detectable change, in fractions.
    baseline : str
        What the change is counted from, e.g. ``"the first visit"``.
    """
    verdict = verdict_of(change_fraction, limit)
    limit_clause = f"changes below {points(limit)} points can't be told from measurement error"
    if points(change_fraction) == "0.0":
        size = f"the same as at {baseline}, to a tenth of a point"
    else:
        direction = "higher" if change_fraction > 0 else "lower"
        size = f"{points(change_fraction)} points {direction} than at {baseline}"
    span = interval_words(change_fraction, low, high)
    if verdict is Verdict.NO_DETECTABLE_CHANGE:
        return (
            f"No detectable change: visible hair coverage is {size} (95 % interval {span}), and "
            f"{limit_clause}."
        )
    return f"Visible hair coverage is {size} (95 % interval {span}); {limit_clause}."


def reach_sentence(
    change_fraction: float, limit: float, *, baseline_fraction: float, named: str
) -> str:
    """Say which change could not have been seen, because coverage ends at 0 and at 100 %.

    Parameters
    ----------
    change_fraction, limit, baseline_fraction : float
        Change, the smallest detectable one and the coverage that it is counted from, in fractions.
    named : str
        What the baseline is called, e.g. ``"the first visit"``.

    Returns
    -------
    str
        Empty where both directions could be seen, and where a change was.
    """
    if verdict_of(change_fraction, limit) is not Verdict.NO_DETECTABLE_CHANGE:
        return ""
    unseen = []
    if baseline_fraction + limit > 1.0:
        unseen.append("increase")
    if baseline_fraction - limit < 0.0:
        unseen.append("decrease")
    if not unseen:
        return ""
    article = "An" if unseen[0] == "increase" else "A"
    return (
        f"{article} {' or '.join(unseen)} could not have been seen: coverage at {named} was "
        f"{percent(baseline_fraction)}, nearer to the end of the scale than these "
        f"{points(limit)} points."
    )


def baseline_doubt(
    visits: Sequence[VisitCoverage], changes: Sequence[Change], first_date: date | None
) -> tuple[str, ...]:
    """Say that the changes would look the same if the baseline visit alone were unusual.

    Parameters
    ----------
    visits : sequence of VisitCoverage
        The baseline and its follow-ups.
    changes : sequence of Change
        Also those without a number.
    first_date : date or None
        Of the first visit, whether it has a number or not.

    Returns
    -------
    tuple of str
        Empty with fewer than `MINIMUM_ALIKE` follow-ups, where not all of them have one verdict of
        change, or where they differ from one another by more than is detectable.
    """
    compared = [each for each in changes if each.verdict is not Verdict.NOT_COMPARABLE]
    verdicts = {each.verdict for each in compared}
    one_way = verdicts in ({Verdict.INCREASE}, {Verdict.DECREASE})
    if first_date is None or len(compared) < MINIMUM_ALIKE or not one_way:
        return ()
    coverages = [visit.coverage_fraction for visit in visits[1:]]
    spread = max(coverages) - min(coverages)
    if spread > min(each.mdc_fraction for each in compared):
        return ()
    direction = "higher" if verdicts == {Verdict.INCREASE} else "lower"
    baseline = baseline_words(first_date, visits[0].visit_date)
    return (
        f"All {len(compared)} later visits are {direction} than {baseline}, and within "
        f"{points(spread)} points of one another. One unusual visit to begin with (light, combing, "
        "wet hair, a hand or a clip) would look the same: look at its photographs before you "
        "believe the change.",
    )


def alignment_sentence(visit: VisitCoverage, baseline: VisitCoverage, named: str) -> str:
    """Say that a change rests on an alignment of tier B, at which visit and by what.

    Parameters
    ----------
    visit, baseline : VisitCoverage
        The two visits that are compared.
    named : str
        What the baseline is called, e.g. ``"the first visit"``.

    Returns
    -------
    str
        Empty where both are of tier A.
    """
    rough = [
        f"{name} is aligned {rough_words(each.aligned_by)}"
        for each, name in ((visit, "this visit"), (baseline, named))
        if each.tier is Tier.B
    ]
    if not rough:
        return ""
    return (
        f"{sentence_case(LESS_SURE)}: {' and '.join(rough)}. The interval is wider for it, and "
        f"such an alignment {SAME_HEAD}."
    )


def interval_words(change_fraction: float, low: float, high: float) -> str:
    """Write an interval without signs, in the direction of the change where it has only one."""
    if low >= 0.0 and change_fraction >= 0.0:
        return f"{points(low)} to {points(high)}"
    if high <= 0.0 and change_fraction <= 0.0:
        return f"{points(high)} to {points(low)}"
    return f"{points(low)} lower to {points(high)} higher"


def trend_sentence(
    slope: float, low: float, high: float, *, detectable: float, visits: int, span_days: int
) -> str:
    """Say how a straight line through the visits runs, and which line would have been missed.

    Parameters
    ----------
    slope, low, high, detectable : float
        Slope, its 95 % interval, and the slope that is seen in four cases of five, in fractions
        per year.
    visits, span_days : int
        Visits on the line, and the days from the first to the last.
    """
    told = "" if low > 0.0 or high < 0.0 else ", which can't be told from no trend"
    return (
        f"A straight line through the {plural(visits, 'visit')} changes by {signed_points(slope)} "
        f"points per year (95 % interval {signed_points(low)} to {signed_points(high)}){told}. "
        f"With {plural(visits, 'visit')} in {span_words(span_days)}, a steady change of "
        f"{points(detectable)} points per year would be missed in one case of five, and a smaller "
        "one more often."
    )


def few_visits_sentence(visits: int, needed: int) -> str:
    """Say that there are too few visits for a line."""
    there = "there is" if visits == 1 else "there are"
    return f"A yearly trend needs {needed} visits with a number, and {there} {visits or 'none'}."


def short_span_sentence(visits: int, span_days: int, needed_days: int) -> str:
    """Say that the visits lie too close together for a yearly trend.

    Examples
    --------
    >>> short_span_sentence(3, 10, 90)
    'Too short a time for a yearly trend: 3 visits in 10 days, and it takes at least 90.'
    """
    return (
        f"Too short a time for a yearly trend: {plural(visits, 'visit')} in "
        f"{plural(span_days, 'day')}, and it takes at least {needed_days}."
    )


def insensitive_sentence(visits: int, span_days: int, detectable: float) -> str:
    """Say that visits of this precision would show no trend that could be.

    Examples
    --------
    >>> insensitive_sentence(3, 95, 0.62)
    'Too short a time for a yearly trend from visits of this precision: with 3 visits in 14 weeks, \
even a steady change of 62 points per year would be missed in one case of five.'
    """
    return (
        "Too short a time for a yearly trend from visits of this precision: with "
        f"{plural(visits, 'visit')} in {span_words(span_days)}, even a steady change of "
        f"{100 * detectable:.0f} points per year would be missed in one case of five."
    )


def rough_trend_sentence(rough_visits: int, visits: int, aligned_by: Sequence[str]) -> str:
    """Say how many visits of a line rest on an alignment of tier B; empty where none does.

    Examples
    --------
    >>> rough_trend_sentence(1, 4, ("outline",))[20:71]
    '1 of the 4 visits is aligned by the outline of the '
    """
    if rough_visits == 0:
        return ""
    verb = "is" if rough_visits == 1 else "are"
    return (
        f"{sentence_case(LESS_SURE)}: {rough_visits} of the {plural(visits, 'visit')} {verb} "
        f"aligned {rough_words(aligned_by)}, which {SAME_HEAD}."
    )


def not_comparable(
    gaps: Sequence[Gap],
    *,
    subject: str,
    view: str,
    visit_date: date,
    baseline_date: date | None,
    baseline: str,
) -> Change:
    """The change at a visit whose photographs all gave no number."""
    messages = list(dict.fromkeys(as_sentence(gap.reason.message) for gap in gaps))
    head = f"Not comparable with {baseline}: "
    if len(gaps) > 1 and not _stated(gaps):
        head += f"none of {plural(len(gaps), 'photograph')} gave a number. "
    nan = math.nan
    return Change(
        subject=subject,
        view=view,
        baseline_date=baseline_date,
        visit_date=visit_date,
        change_fraction=nan,
        low_fraction=nan,
        high_fraction=nan,
        mdc_fraction=nan,
        verdict=Verdict.NOT_COMPARABLE,
        sentence=head + " ".join(messages),
    )


def _only_one(others: int, gaps: Sequence[Gap], baseline_date: date) -> str:
    """Say that there is one number, and how many visits were made in vain and why.

    A person who is only told that a second visit is needed takes the same photograph again.
    """
    can = "can be compared" if _stated(gaps) else "has a number"
    if others == 0:
        return (
            f"Only the visit of {long_date(baseline_date)} {can} so far; a change needs a second "
            "one."
        )
    latest = [gap for gap in gaps if gap.visit_date not in {None, baseline_date}][-1]
    when = long_date(latest.visit_date) if latest.visit_date else ""
    which = when if others == 1 else f"The latest of them, {when}"
    lack = "can't be compared with it" if _stated(gaps) else "gave no number"
    return (
        f"No change can be stated: only the visit of {long_date(baseline_date)} {can}, and "
        f"{plural(others, 'other visit')} {lack}. {which}: {as_sentence(latest.reason.message)}"
    )


def _stated(gaps: Sequence[Gap]) -> bool:
    """Whether what the user stated forbids to compare some photograph that has a number."""
    return any(gap.reason.code in CONDITION_CODES for gap in gaps)


def as_sentence(message: str) -> str:
    """End a message with a full stop."""
    stripped = message.strip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."


def baseline_words(first_date: date, baseline_date: date) -> str:
    """Name the visit that changes are counted from."""
    if first_date == baseline_date:
        return FIRST_VISIT
    return f"the visit of {long_date(baseline_date)}"


def summarise(
    *,
    measured_visits: int,
    changes: Sequence[Change],
    gaps: Sequence[Gap],
    baseline_date: date | None,
) -> str:
    """One sentence on where a timeline stands: its latest visit that can be compared.

    It names what is missing: that nothing was measured, that there is only one visit, or that
    later visits gave no number.
    """
    if baseline_date is None or measured_visits == 0:
        if _stated(gaps):
            return "No change can be stated: no visit of this view can be compared with another."
        return (
            "No coverage can be stated: "
            f"{'the photograph' if len(gaps) == 1 else f'all {len(gaps)} photographs'} of this "
            "view gave no number."
        )
    comparable = [c for c in changes if c.verdict is not Verdict.NOT_COMPARABLE]
    if not comparable:
        return _only_one(len(changes), gaps, baseline_date)
    latest = comparable[-1]
    sentence = f"{long_date(latest.visit_date)}: {latest.sentence}"
    later = [c for c in changes if c.visit_date > latest.visit_date]
    if later:
        after = [gap for gap in gaps if gap.visit_date and gap.visit_date > latest.visit_date]
        lack = "can't be compared" if _stated(after) else "gave no number"
        sentence += f" {plural(len(later), 'later visit')} {lack}."
    return sentence
