"""What can be said about a change, in a sentence that claims no more than the numbers do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from scalptrack.longitudinal.conditions import CONDITION_CODES
from scalptrack.records import Change, Gap, Tier, Verdict, VisitCoverage
from scalptrack.translation import marked, tr, trn
from scalptrack.wording import (
    LESS_SURE,
    SAME_HEAD,
    joined,
    long_date,
    percent,
    points,
    rough_words,
    sentence_case,
    shows_zero,
)

FIRST_VISIT = marked("the first visit")
"""English, to be translated where it is used."""

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
    if shows_zero(change_fraction):
        size = tr("the same as at {baseline}, to a tenth of a point", baseline=baseline)
    elif change_fraction > 0:
        size = tr(
            "{points} points higher than at {baseline}",
            points=points(change_fraction),
            baseline=baseline,
        )
    else:
        size = tr(
            "{points} points lower than at {baseline}",
            points=points(change_fraction),
            baseline=baseline,
        )
    span = interval_words(change_fraction, low, high)
    if verdict is Verdict.NO_DETECTABLE_CHANGE:
        return tr(
            "No detectable change: visible hair coverage is {size} (95 % interval {span}), and "
            "changes below {limit} points can't be told from measurement error.",
            size=size,
            span=span,
            limit=points(limit),
        )
    return tr(
        "Visible hair coverage is {size} (95 % interval {span}); changes below {limit} points "
        "can't be told from measurement error.",
        size=size,
        span=span,
        limit=points(limit),
    )


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
    above, below = baseline_fraction + limit > 1.0, baseline_fraction - limit < 0.0
    if not (above or below):
        return ""
    if above and below:
        unseen = tr("An increase or decrease could not have been seen")
    else:
        unseen = (
            tr("An increase could not have been seen")
            if above
            else tr("A decrease could not have been seen")
        )
    return tr(
        "{unseen}: coverage at {baseline} was {percent}, nearer to the end of the scale than these "
        "{limit} points.",
        unseen=unseen,
        baseline=named,
        percent=percent(baseline_fraction),
        limit=points(limit),
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
    higher = verdicts == {Verdict.INCREASE}
    direction = tr("higher") if higher else tr("lower")
    return (
        tr(
            "All {visits} later visits are {direction} than {baseline}, and within {points} points "
            "of one another. One unusual visit to begin with (light, combing, wet hair, a hand or "
            "a clip) would look the same: look at its photographs before you believe the change.",
            visits=len(compared),
            direction=direction,
            baseline=baseline_words(first_date, visits[0].visit_date),
            points=points(spread),
        ),
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
        tr("{visit} is aligned {by}", visit=name, by=rough_words(each.aligned_by))
        for each, name in ((visit, tr("this visit")), (baseline, named))
        if each.tier is Tier.B
    ]
    if not rough:
        return ""
    return tr(
        "{less_sure}: {visits}. The interval is wider for it, and such an alignment {same_head}.",
        less_sure=sentence_case(tr(LESS_SURE)),
        visits=joined(rough),
        same_head=tr(SAME_HEAD),
    )


def interval_words(change_fraction: float, low: float, high: float) -> str:
    """Write an interval without signs, in the direction of the change where it has only one."""
    if low >= 0.0 and change_fraction >= 0.0:
        return tr("{low} to {high}", low=points(low), high=points(high))
    if high <= 0.0 and change_fraction <= 0.0:
        return tr("{low} to {high}", low=points(high), high=points(low))
    return tr("{low} lower to {high} higher", low=points(low), high=points(high))


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
    head = tr("Not comparable with {baseline}:", baseline=baseline) + " "
    if len(gaps) > 1 and not _stated(gaps):
        head += (
            trn(
                "none of {count} photograph gave a number.",
                "none of {count} photographs gave a number.",
                len(gaps),
            )
            + " "
        )
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
    day = long_date(baseline_date)
    if others == 0:
        if _stated(gaps):
            return tr(
                "Only the visit of {day} can be compared so far; a change needs a second one.",
                day=day,
            )
        return tr(
            "Only the visit of {day} has a number so far; a change needs a second one.", day=day
        )
    latest = [gap for gap in gaps if gap.visit_date not in {None, baseline_date}][-1]
    when = long_date(latest.visit_date) if latest.visit_date else ""
    which = when if others == 1 else tr("The latest of them, {day}", day=when)
    return f"{_no_other(others, day, gaps)} {which}: {as_sentence(latest.reason.message)}"


def _no_other(others: int, day: str, gaps: Sequence[Gap]) -> str:
    """Say that no visit but one can be used."""
    if _stated(gaps):
        return trn(
            "No change can be stated: only the visit of {day} can be compared, and {count} other "
            "visit can't be compared with it.",
            "No change can be stated: only the visit of {day} can be compared, and {count} other "
            "visits can't be compared with it.",
            others,
            day=day,
        )
    return trn(
        "No change can be stated: only the visit of {day} has a number, and {count} other visit "
        "gave no number.",
        "No change can be stated: only the visit of {day} has a number, and {count} other visits "
        "gave no number.",
        others,
        day=day,
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
        return tr(FIRST_VISIT)
    return tr("the visit of {day}", day=long_date(baseline_date))


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
            return tr(
                "No change can be stated: no visit of this view can be compared with another."
            )
        if len(gaps) == 1:
            return tr("No coverage can be stated: the photograph of this view gave no number.")
        return tr(
            "No coverage can be stated: all {photographs} photographs of this view gave no number.",
            photographs=len(gaps),
        )
    comparable = [c for c in changes if c.verdict is not Verdict.NOT_COMPARABLE]
    if not comparable:
        return _only_one(len(changes), gaps, baseline_date)
    latest = comparable[-1]
    sentence = f"{long_date(latest.visit_date)}: {latest.sentence}"
    later = [c for c in changes if c.visit_date > latest.visit_date]
    if later:
        after = [gap for gap in gaps if gap.visit_date and gap.visit_date > latest.visit_date]
        sentence += f" {_later_words(len(later), stated=_stated(after))}"
    return sentence


def _later_words(later: int, *, stated: bool) -> str:
    """Say how many visits after the latest comparable one can't be used."""
    if stated:
        return trn(
            "{count} later visit can't be compared.",
            "{count} later visits can't be compared.",
            later,
        )
    return trn("{count} later visit gave no number.", "{count} later visits gave no number.", later)


def counted_from(first_date: date, baseline_date: date, *, compared: bool) -> str:
    """Say that changes aren't counted from the first visit."""
    days = {"first": long_date(first_date), "baseline": long_date(baseline_date)}
    if compared:
        return tr(
            "The first visit ({first}) has no number, so changes are counted from {baseline}, the "
            "earliest visit that has one.",
            **days,
        )
    return tr(
        "The first visit ({first}) can't be compared, so changes are counted from {baseline}, the "
        "earliest visit that can.",
        **days,
    )
