import datetime as dt

import numpy as np
import pytest
from scipy import optimize

from scalptrack.longitudinal.trend import DAYS_PER_YEAR, fit_trend
from scalptrack.records import Tier, VisitCoverage


def visit(day: int, coverage: float, sd: float = 0.02) -> VisitCoverage:
    date = dt.date(2024, 1, 1) + dt.timedelta(days=day)
    return VisitCoverage(date, coverage, sd, 0.0, 1.0, 1, Tier.A)


def test_agrees_with_scipys_weighted_fit() -> None:
    days, sds = [0, 80, 200, 365], [0.02, 0.01, 0.03, 0.02]
    coverages = [0.40, 0.43, 0.44, 0.52]
    visits = [visit(*row) for row in zip(days, coverages, sds, strict=True)]
    trend = fit_trend(visits, 8)
    assert trend is not None
    best, covariance = optimize.curve_fit(
        lambda t, a, b: a + b * t,
        np.array(days) / DAYS_PER_YEAR,
        coverages,
        sigma=sds,
        absolute_sigma=True,
    )
    half = 2.306004 * np.sqrt(covariance[1, 1])
    assert trend.slope_per_year == pytest.approx(best[1], abs=1e-6)
    assert trend.low_per_year == pytest.approx(best[1] - half, abs=1e-6)
    assert trend.high_per_year == pytest.approx(best[1] + half, abs=1e-6)


def test_scatter_beyond_the_errors_widens_the_interval() -> None:
    calm = fit_trend([visit(0, 0.40), visit(180, 0.45), visit(360, 0.50)], 8)
    wild = fit_trend([visit(0, 0.40), visit(180, 0.85), visit(360, 0.50)], 8)
    assert calm is not None
    assert wild is not None
    assert wild.slope_per_year == pytest.approx(calm.slope_per_year, abs=1e-9)
    ratio = (wild.high_per_year - wild.low_per_year) / (calm.high_per_year - calm.low_per_year)
    residual_sum = (0.4 / 3) ** 2 * 2 + (0.8 / 3) ** 2
    assert ratio == pytest.approx(np.sqrt(residual_sum) / 0.02, rel=1e-6)


def test_interval_holds_the_slope() -> None:
    rng = np.random.default_rng(8)
    held = []
    for _ in range(2000):
        coverages = 0.3 + 0.1 * np.arange(5) / 4 + 0.02 * rng.standard_normal(5)
        trend = fit_trend([visit(v * 91, c) for v, c in enumerate(coverages)], 100)
        assert trend is not None
        held.append(trend.low_per_year <= 0.1 / 364 * DAYS_PER_YEAR <= trend.high_per_year)
    assert 0.94 <= np.mean(held) <= 0.985


@pytest.mark.parametrize("days", [[0, 100], [0, 20, 40, 55], []])
def test_no_trend_from_too_little(days: list[int]) -> None:
    assert fit_trend([visit(day, 0.4) for day in days], 8) is None


def test_trend_says_how_it_was_made() -> None:
    trend = fit_trend([visit(day, 0.4) for day in (0, 60, 120)], 8)
    assert trend is not None
    assert trend.method.startswith("weighted least squares")
