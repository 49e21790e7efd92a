"""A straight line through a timeline, when there is enough of it to draw one.

References
----------
.. [1] Birge RT. The calculation of errors by the method of least squares. Phys Rev
   1932;40:207-227. doi:10.1103/PhysRev.40.207
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scalptrack.longitudinal.intervals import two_sided_quantile
from scalptrack.records import Trend, VisitCoverage

MINIMUM_VISITS = 3
"""Two points always lie on a line."""

MINIMUM_SPAN_DAYS = 56
"""Series of weeks say nothing about a year: photographs are read over 4 to 8 weeks
(shared protocol notes on follow-up photography)."""

DAYS_PER_YEAR = 365.25

METHOD = (
    "weighted least squares over visits; interval from Student's t, wider where the visits scatter "
    "more than their errors"
)


def fit_trend(visits: Sequence[VisitCoverage], dof: int) -> Trend | None:
    """Weighted straight line through the visits, in fractions per year.

    Parameters
    ----------
    visits : sequence of VisitCoverage
        Visits with a number; each standard error is above 0.
    dof : int
        Degrees of freedom of the visits' standard errors.

    Returns
    -------
    Trend or None
        None with fewer than 3 visits, or when they span less than 8 weeks. The interval is
        widened by the Birge ratio [1]_ when the visits scatter more than their errors allow.
    """
    if len(visits) < MINIMUM_VISITS:
        return None
    days = np.array([visit.visit_date.toordinal() for visit in visits], dtype=np.float64)
    if np.ptp(days) < MINIMUM_SPAN_DAYS:
        return None
    years = (days - days[0]) / DAYS_PER_YEAR
    coverage = np.array([visit.coverage_fraction for visit in visits])
    weights = np.array([visit.sd_fraction for visit in visits]) ** -2.0
    mean_year = np.average(years, weights=weights)
    mean_coverage = np.average(coverage, weights=weights)
    sum_of_squares = float(weights @ (years - mean_year) ** 2)
    slope = float(weights @ ((years - mean_year) * (coverage - mean_coverage))) / sum_of_squares
    residuals = coverage - mean_coverage - slope * (years - mean_year)
    birge_squared = float(weights @ residuals**2) / (len(visits) - 2)
    standard_error = math.sqrt(max(1.0, birge_squared) / sum_of_squares)
    half = two_sided_quantile(dof) * standard_error
    return Trend(slope, slope - half, slope + half, METHOD)
