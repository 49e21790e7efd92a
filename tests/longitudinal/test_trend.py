import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from scalptrack.longitudinal.trend import (
    DAYS_PER_YEAR,
    detectable_factor,
    fit_trend,
    power_of_slope,
)
from scalptrack.records import Reason, Tier, Trend, VisitCoverage


def visit(day: int, coverage: float, sd: float = 0.02) -> VisitCoverage:
    date = dt.date(2024, 1, 1) + dt.timedelta(days=day)
    return VisitCoverage(date, coverage, sd, 0.0, 1.0, 1, Tier.A)


def test_agrees_with_scipys_weighted_fit() -> None:
    days, sds = [0, 80, 200, 365], [0.02, 0.01, 0.03, 0.02]
    coverages = [0.40, 0.43, 0.44, 0.52]
    visits = [visit(*row) for row in zip(days, coverages, sds, strict=True)]
    trend = fit_trend(visits, 8)
    assert isinstance(trend, Trend)
    best, covariance = optimize.curve_fit(
        lambda t, a, b: a + b * t,
        np.array(days) / DAYS_PER_YEAR,
        coverages,
        sigma=sds,
        absolute_sigma=True,
    )
    residuals = (np.array(coverages) - best[0] - best[1] * np.array(days) / DAYS_PER_YEAR) / sds
    assert residuals @ residuals / 2 < 1
    pooled = np.sqrt((8 + residuals @ residuals) / (8 + 2))
    half = 2.228139 * pooled * np.sqrt(covariance[1, 1])  # Student's t, 10 degrees of freedom
    assert trend.slope_per_year == pytest.approx(best[1], abs=1e-6)
    assert trend.low_per_year == pytest.approx(best[1] - half, abs=1e-6)
    assert trend.high_per_year == pytest.approx(best[1] + half, abs=1e-6)
    assert (trend.visits, trend.span_days) == (4, 365)


def test_scatter_beyond_the_errors_widens_the_interval() -> None:
    calm = fit_trend([visit(0, 0.40), visit(180, 0.45), visit(360, 0.50)], 8)
    wild = fit_trend([visit(0, 0.40), visit(180, 0.85), visit(360, 0.50)], 8)
    assert isinstance(calm, Trend)
    assert isinstance(wild, Trend)
    assert wild.slope_per_year == pytest.approx(calm.slope_per_year, abs=1e-9)
    ratio = (wild.high_per_year - wild.low_per_year) / (calm.high_per_year - calm.low_per_year)
    residual_sum = (0.4 / 3) ** 2 * 2 + (0.8 / 3) ** 2
    assert ratio == pytest.approx(np.sqrt(residual_sum) / 0.02 / np.sqrt(8 / 9), rel=1e-6)
    scatter = np.sqrt(residual_sum) / 0.02
    assert wild.detectable_per_year == pytest.approx(calm.detectable_per_year * scatter, rel=1e-6)


def straight(rng: np.random.Generator, slope: float, visits: int, sd: float, dof: int) -> Trend:
    """Trend of a straight series whose SD is estimated with so many degrees of freedom."""
    days = np.linspace(0, 365, visits).round().astype(int)
    coverages = 0.3 + slope * days / DAYS_PER_YEAR + sd * rng.standard_normal(visits)
    estimated = sd * np.sqrt(rng.chisquare(dof) / dof)
    rows = zip(days, coverages, strict=True)
    trend = fit_trend([visit(int(d), c, estimated) for d, c in rows], dof)
    assert isinstance(trend, Trend)
    return trend


@pytest.mark.parametrize(("visits", "dof"), [(3, 4), (5, 4), (12, 10)])
def test_interval_holds_the_slope(visits: int, dof: int) -> None:
    rng = np.random.default_rng(8)
    trends = [straight(rng, 0.1, visits, 0.02, dof) for _ in range(1200)]
    assert 0.945 <= np.mean([t.low_per_year <= 0.1 <= t.high_per_year for t in trends]) <= 0.975


@pytest.mark.parametrize(("visits", "dof"), [(3, 4), (5, 4), (5, 50)])
def test_stated_slope_is_missed_in_one_case_of_five(visits: int, dof: int) -> None:
    rng = np.random.default_rng(9)
    days = np.linspace(0, 365, visits).round() / DAYS_PER_YEAR
    error = 0.02 / np.sqrt(np.sum((days - days.mean()) ** 2))
    slope = -detectable_factor(dof, visits - 2) * error
    trends = [straight(rng, slope, visits, 0.02, dof) for _ in range(1200)]
    assert np.mean([t.high_per_year < 0 for t in trends]) == pytest.approx(0.8, abs=0.035)


@pytest.mark.parametrize(("dof", "scatter_dof", "factor"), [(6, 3, 3.4), (1, 1, 5.0)])
def test_power_agrees_with_numerical_integration(dof: int, scatter_dof: int, factor: float) -> None:
    """Oracle: integrate the normal probability over both estimated scales, no noncentral t."""
    ranks = (np.arange(600) + 0.5) / 600
    errors = stats.chi2.ppf(ranks, dof)[:, None]
    scatter = stats.chi2.ppf(ranks, scatter_dof)[None, :]
    total = dof + scatter_dof
    scale = np.sqrt(np.maximum((errors + scatter) / total, scatter / scatter_dof))
    expected = stats.norm.sf(stats.t.ppf(0.975, total) * scale - factor).mean()
    assert power_of_slope(factor, dof, scatter_dof) == pytest.approx(expected, abs=1e-3)


def test_detectable_slope_of_the_design_notes() -> None:
    """SDC 5 points, five visits in a year: 6.4 with a known error that never widens (2.8 SE)."""
    sd = 0.05 / (1.96 * np.sqrt(2))
    trend = fit_trend([visit(day, 0.4, sd) for day in (0, 91, 182, 274, 365)], 100_000)
    assert isinstance(trend, Trend)
    never_widened = trend.detectable_per_year * 2.8016 / detectable_factor(100_000, 3)
    assert 100 * never_widened == pytest.approx(6.4, abs=0.05)
    assert 1.0 < detectable_factor(100_000, 3) / 2.8016 < 1.15
    assert trend.power == 0.8
    assert trend.sentence == (
        "A straight line through the 5 visits changes by 0.0 points per year (95 % interval −4.5 "
        "to +4.5), which can't be told from no trend. With 5 visits in 12 months, a steady change "
        "of 7.1 points per year would be missed in one case of five, and a smaller one more often."
    )


def test_a_trend_that_can_be_told_is_not_called_the_opposite() -> None:
    trend = fit_trend([visit(day, 0.4 + day / 1000) for day in (0, 100, 200, 300)], 50)
    assert isinstance(trend, Trend)
    assert trend.low_per_year > 0
    assert "can't be told" not in trend.sentence
    assert "changes by +36.5 points per year" in trend.sentence


@pytest.mark.parametrize(
    ("days", "code", "message"),
    [
        ([], "few_visits", "A yearly trend needs 3 visits with a number, and there are none."),
        ([0], "few_visits", "A yearly trend needs 3 visits with a number, and there is 1."),
        ([0, 400], "few_visits", "A yearly trend needs 3 visits with a number, and there are 2."),
        (
            [0, 5, 10],
            "short_span",
            "Too short a time for a yearly trend: 3 visits in 10 days, and it takes at least 90.",
        ),
        (
            [0, 20, 40, 89],
            "short_span",
            "Too short a time for a yearly trend: 4 visits in 89 days, and it takes at least 90.",
        ),
    ],
)
def test_no_trend_from_too_little(days: list[int], code: str, message: str) -> None:
    visits = [visit(day, 0.4) for day in days]
    assert fit_trend(visits, 8) == Reason(code, message)


def test_a_quarter_of_a_year_is_enough_for_exact_visits_alone() -> None:
    exact = [visit(day, 0.4, 0.02) for day in (0, 45, 90)]
    assert isinstance(fit_trend(exact, 8), Trend)
    rough = [visit(day, 0.4, 0.03) for day in (0, 45, 90)]
    detectable = 100 * detectable_factor(8, 1) * 0.03 / (np.sqrt(2) * 45 / DAYS_PER_YEAR)
    assert detectable > 50
    assert fit_trend(rough, 8) == Reason(
        "insensitive_trend",
        "Too short a time for a yearly trend from visits of this precision: with 3 visits in 13 "
        f"weeks, even a steady change of {detectable:.0f} points per year would be missed in one "
        "case of five.",
    )
    twice_as_long = [visit(2 * day, 0.4, 0.03) for day in (0, 45, 90)]
    assert isinstance(fit_trend(twice_as_long, 8), Trend)


def test_a_line_is_not_left_out_by_its_scatter_or_slope() -> None:
    """To do so would keep the lines that chance made look good."""
    steep = [visit(0, 0.1), visit(90, 0.5), visit(180, 0.9)]
    scattered = [visit(0, 0.1), visit(90, 0.9), visit(180, 0.1)]
    assert isinstance(fit_trend(steep, 8), Trend)
    assert isinstance(fit_trend(scattered, 8), Trend)


def test_a_line_through_less_sure_visits_says_so() -> None:
    sure = [visit(day, 0.4) for day in (0, 60, 120)]
    rough = [replace(sure[1], tier=Tier.B, aligned_by=("outline",))]
    rough.append(replace(sure[2], tier=Tier.B, aligned_by=("points",)))
    trend = fit_trend([sure[0], *rough], 8)
    assert isinstance(trend, Trend)
    assert (trend.tier, trend.rough_visits, trend.aligned_by) == (Tier.B, 2, ("outline", "points"))
    assert trend.sentence.endswith(
        " Less sure (tier B): 2 of the 3 visits are aligned by the outline of the head and by "
        "points set by hand, which can't tell whether it is the same head."
    )
    plain = fit_trend(sure, 8)
    assert isinstance(plain, Trend)
    assert (plain.tier, plain.rough_visits, plain.aligned_by) == (Tier.A, 0, ())
    assert "tier B" not in plain.sentence


def test_trend_says_how_it_was_made() -> None:
    trend = fit_trend([visit(day, 0.4) for day in (0, 60, 120)], 8)
    assert isinstance(trend, Trend)
    assert trend.method.startswith("weighted least squares")
