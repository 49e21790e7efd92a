"""A straight line through a timeline, and what such a line would miss.

Nothing here looks for a point in time at which something changed: a handful of visits can't show
one.

References
----------
.. [1] Birge RT. The calculation of errors by the method of least squares. Phys Rev
   1932;40:207-227. doi:10.1103/PhysRev.40.207
.. [2] Johnson NL, Welch BL. Applications of the non-central t-distribution. Biometrika
   1940;31:362-389. doi:10.1093/biomet/31.3-4.362
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from scalptrack.longitudinal.components import rough_alignments
from scalptrack.longitudinal.intervals import two_sided_quantile
from scalptrack.longitudinal.trend_words import (
    few_visits_sentence,
    insensitive_sentence,
    rough_trend_sentence,
    short_span_sentence,
    trend_sentence,
)
from scalptrack.records import FloatArray, Reason, Tier, Trend, VisitCoverage
from scalptrack.translation import marked, tr

MINIMUM_VISITS = 3
"""Two points always lie on a line."""

MINIMUM_SPAN_DAYS = 90
"""Below a quarter of a year the yearly slope is more than four times what was seen, and its error
too: in 90 days an error of 2 points at either end is 11 points per year."""

LARGEST_DETECTABLE_PER_YEAR = 0.5
"""Ten times what a treatment does in a year (5 points): a line that misses it says nothing."""

DAYS_PER_YEAR = 365.25

POWER = 0.80
"""Share of equal series in which the stated slope would be seen: missed in one case of five."""

METHOD = marked(
    "weighted least squares over visits; interval from Student's t with the errors of the visits "
    "and their scatter around the line pooled, or the scatter alone where it is larger"
)

_SHARE_NODES = 200


def fit_trend(visits: Sequence[VisitCoverage], dof: float) -> Trend | Reason:
    """Weighted straight line through the visits, in fractions per year.

    Parameters
    ----------
    visits : sequence of VisitCoverage
        Visits with a number; each standard error is above 0.
    dof : float
        Degrees of freedom of the visits' standard errors.

    Returns
    -------
    Trend or Reason
        Why no yearly trend is stated, where none is. That follows from the dates and the visits'
        errors alone: to leave out lines by their slope or their scatter would leave those that
        chance made look good.

    Notes
    -----
    The visits' errors (``dof``) and their scatter around the line (visits - 2) estimate the same
    scale and are pooled by degrees of freedom. Where the scatter is the larger one, the line or
    the errors are wrong, and the scatter alone counts (in the manner of Birge [1]_). With errors
    as assumed the 95 % interval then holds the slope in 95.9 % of 3600 simulated series, with
    errors 1.5 times as large in 94.5 % of 900; series without a stated trend left out
    (lab/benchmarks/calibration.py). A slope of the detectable size is then seen in 89 % of the
    former, more often than is said.

    The detectable slope is taken from the visits' errors and dates, and from their scatter where
    that is larger; never from how large the slope came out.
    """
    reason = _barrier(visits, dof)
    if reason is not None:
        return reason
    years, weights = _years_and_weights(visits)
    coverage = np.array([visit.coverage_fraction for visit in visits])
    mean_year = np.average(years, weights=weights)
    mean_coverage = np.average(coverage, weights=weights)
    sum_of_squares = _sum_of_squares(years, weights)
    slope = float(weights @ ((years - mean_year) * (coverage - mean_coverage))) / sum_of_squares
    residuals = coverage - mean_coverage - slope * (years - mean_year)
    scatter_dof = len(visits) - 2
    scale = _scale(float(weights @ residuals**2), dof, scatter_dof)
    standard_error = scale / math.sqrt(sum_of_squares)
    half = two_sided_quantile(dof + scatter_dof) * standard_error
    detectable = detectable_factor(dof, scatter_dof) * max(scale, 1.0) / math.sqrt(sum_of_squares)
    low, high, span = slope - half, slope + half, _span_days(visits)
    rough = [visit for visit in visits if visit.tier is Tier.B]
    aligned_by = rough_alignments(rough)
    sentence = trend_sentence(
        slope, low, high, detectable=detectable, visits=len(visits), span_days=span
    )
    return Trend(
        slope_per_year=slope,
        low_per_year=low,
        high_per_year=high,
        method=tr(METHOD),
        standard_error_per_year=standard_error,
        detectable_per_year=detectable,
        power=POWER,
        visits=len(visits),
        span_days=span,
        sentence=" ".join(
            filter(None, [sentence, rough_trend_sentence(len(rough), len(visits), aligned_by)])
        ),
        tier=Tier.B if rough else Tier.A,
        rough_visits=len(rough),
        aligned_by=aligned_by,
    )


def _barrier(visits: Sequence[VisitCoverage], dof: float) -> Reason | None:
    """Why no yearly trend is stated; None where one is."""
    if len(visits) < MINIMUM_VISITS:
        return Reason("few_visits", few_visits_sentence(len(visits), MINIMUM_VISITS))
    span = _span_days(visits)
    if span < MINIMUM_SPAN_DAYS:
        return Reason("short_span", short_span_sentence(len(visits), span, MINIMUM_SPAN_DAYS))
    error = 1.0 / math.sqrt(_sum_of_squares(*_years_and_weights(visits)))
    detectable = detectable_factor(dof, len(visits) - 2) * error
    if detectable > LARGEST_DETECTABLE_PER_YEAR:
        return Reason("insensitive_trend", insensitive_sentence(len(visits), span, detectable))
    return None


def _years_and_weights(visits: Sequence[VisitCoverage]) -> tuple[FloatArray, FloatArray]:
    """Years since the first visit, and weights by the visits' errors."""
    days = np.array([visit.visit_date.toordinal() for visit in visits], dtype=np.float64)
    weights = np.array([visit.sd_fraction for visit in visits]) ** -2.0
    return (days - days[0]) / DAYS_PER_YEAR, weights


def _sum_of_squares(years: FloatArray, weights: FloatArray) -> float:
    """Return the weighted squares of the years about their mean; its root is 1 / the error."""
    return float(weights @ (years - np.average(years, weights=weights)) ** 2)


def _span_days(visits: Sequence[VisitCoverage]) -> int:
    days = [visit.visit_date for visit in visits]
    return (max(days) - min(days)).days


def _scale(scatter_squares: float, dof: float, scatter_dof: int) -> float:
    """Return what the errors have to be multiplied by, from the weighted residuals squared."""
    pooled = (dof + scatter_squares) / (dof + scatter_dof)
    return math.sqrt(max(pooled, scatter_squares / scatter_dof))


@lru_cache(maxsize=512)
def detectable_factor(dof: float, scatter_dof: int, *, power: float = POWER) -> float:
    """How many standard errors a slope must measure to be seen with this probability.

    Parameters
    ----------
    dof, scatter_dof : float, int
        Degrees of freedom of the visits' errors, and of their scatter around the line.
    power : float
        Probability that the 95 % interval leaves out zero.

    Examples
    --------
    >>> round(detectable_factor(100_000, 3), 1)
    3.1
    """
    return float(
        optimize.brentq(
            lambda factor: power_of_slope(factor, dof, scatter_dof) - power, 0.5, 16.0, xtol=1e-6
        )
    )


def power_of_slope(factor: float, dof: float, scatter_dof: int) -> float:
    """Probability that a slope of so many standard errors is seen, with its true sign.

    The estimated scale squared is the pooled one, a chi-square variable with ``dof + scatter_dof``
    degrees of freedom, times ``max(1, share * (dof + scatter_dof) / scatter_dof)``, where the
    scatter's share of the sum of squares is a beta variable independent of the sum. Given the
    share, the slope over its standard error is noncentral t [2]_; its tail is averaged over the
    share.

    Parameters
    ----------
    factor : float
        True slope in true standard errors.
    dof, scatter_dof : float, int
        As in `detectable_factor`.
    """
    total = dof + scatter_dof
    ranks = (np.arange(_SHARE_NODES) + 0.5) / _SHARE_NODES
    share = stats.beta.ppf(ranks, scatter_dof / 2.0, dof / 2.0)
    limit = two_sided_quantile(total) * np.sqrt(np.maximum(1.0, share * total / scatter_dof))
    return float(np.mean(stats.nct.sf(limit, total, factor)))
