"""What can be said about a straight line through the visits, or about why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from scalptrack.translation import number, tr, trn
from scalptrack.wording import (
    LESS_SURE,
    SAME_HEAD,
    points,
    rough_words,
    sentence_case,
    signed_points,
    span_words,
)


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
    seen = low > 0.0 or high < 0.0
    line = tr(
        "A straight line through the {visits} changes by {slope} points per year (95 % interval "
        "{low} to {high}){untold}.",
        visits=visits_words(visits),
        slope=signed_points(slope),
        low=signed_points(low),
        high=signed_points(high),
        untold="" if seen else tr(", which can't be told from no trend"),
    )
    missed = tr(
        "With {visits} in {span}, a steady change of {points} points per year would be missed in "
        "one case of five, and a smaller one more often.",
        visits=visits_words(visits),
        span=span_words(span_days),
        points=points(detectable),
    )
    return f"{line} {missed}"


def visits_words(visits: int) -> str:
    """Write a count of visits, e.g. ``"2 visits"``."""
    return trn("{count} visit", "{count} visits", visits)


def few_visits_sentence(visits: int, needed: int) -> str:
    """Say that there are too few visits for a line."""
    if visits == 0:
        return tr(
            "A yearly trend needs {needed} visits with a number, and there are none.", needed=needed
        )
    return trn(
        "A yearly trend needs {needed} visits with a number, and there is {count}.",
        "A yearly trend needs {needed} visits with a number, and there are {count}.",
        visits,
        needed=needed,
    )


def short_span_sentence(visits: int, span_days: int, needed_days: int) -> str:
    """Say that the visits lie too close together for a yearly trend.

    Examples
    --------
    >>> short_span_sentence(3, 10, 90)
    'Too short a time for a yearly trend: 3 visits in 10 days, and it takes at least 90.'
    """
    return tr(
        "Too short a time for a yearly trend: {visits} in {days}, and it takes at least {needed}.",
        visits=visits_words(visits),
        days=trn("{count} day", "{count} days", span_days),
        needed=needed_days,
    )


def insensitive_sentence(visits: int, span_days: int, detectable: float) -> str:
    """Say that visits of this precision would show no trend that could be.

    Examples
    --------
    >>> insensitive_sentence(3, 95, 0.62)
    'Too short a time for a yearly trend from visits of this precision: with 3 visits in 14 weeks, \
even a steady change of 62 points per year would be missed in one case of five.'
    """
    return tr(
        "Too short a time for a yearly trend from visits of this precision: with {visits} in "
        "{span}, even a steady change of {points} points per year would be missed in one case of "
        "five.",
        visits=visits_words(visits),
        span=span_words(span_days),
        points=number(100 * detectable, ".0f"),
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
    return trn(
        "{less_sure}: {count} of the {visits} is aligned {by}, which {same_head}.",
        "{less_sure}: {count} of the {visits} are aligned {by}, which {same_head}.",
        rough_visits,
        less_sure=sentence_case(tr(LESS_SURE)),
        visits=visits_words(visits),
        by=rough_words(aligned_by),
        same_head=tr(SAME_HEAD),
    )
