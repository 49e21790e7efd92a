import itertools
import math

import numpy as np
import pytest
from scipy import stats

from scalptrack.longitudinal.intervals import (
    MDC95_FACTOR,
    dof_of_sum,
    interval,
    many_to_one_quantile,
    probability_within,
    two_sided_quantile,
)

# Dunnett's two-sided 5 % points as tabulated for equal group sizes (doi:10.2307/2528490).
TABLE = {(1, 10): 2.23, (2, 10): 2.57, (3, 10): 2.76, (4, 10): 2.89, (5, 10): 2.99, (3, 20): 2.54}


@pytest.mark.parametrize(("design", "tabulated"), TABLE.items())
def test_agrees_with_the_published_table(design: tuple[int, int], tabulated: float) -> None:
    follow_ups, dof = design
    limit = many_to_one_quantile(1.0, [1.0] * follow_ups, dof)
    assert limit == pytest.approx(tabulated, abs=0.006)


@pytest.mark.parametrize(
    ("baseline", "follow_ups", "dof"),
    [(1.0, [1.0, 1.0], 4), (0.5, [1.0, 0.25, 2.0], 7), (2.0, [0.5, 0.5, 0.5, 1.0], 12)],
)
def test_agrees_with_scipys_multivariate_t(
    baseline: float, follow_ups: list[float], dof: int
) -> None:
    limit = many_to_one_quantile(baseline, follow_ups, dof)
    loadings = np.sqrt(baseline / (baseline + np.array(follow_ups)))
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    oracle = stats.multivariate_t(shape=correlation, df=dof, seed=5).cdf(
        np.full(len(follow_ups), limit), lower_limit=np.full(len(follow_ups), -limit)
    )
    assert oracle == pytest.approx(0.95, abs=2e-4)


def test_one_follow_up_is_students_t() -> None:
    assert many_to_one_quantile(1.0, [3.0], 6) == pytest.approx(stats.t.ppf(0.975, 6), abs=1e-9)


def test_many_degrees_of_freedom_are_the_normal_case() -> None:
    limit = many_to_one_quantile(1.0, [1.0] * 4, 1_000_000)
    rng = np.random.default_rng(11)
    errors = rng.standard_normal((400_000, 5))
    changes = np.abs(errors[:, 1:] - errors[:, :1]) / np.sqrt(2.0)
    assert np.mean(changes.max(axis=1) > limit) == pytest.approx(0.05, abs=0.0015)


def test_the_limit_grows_with_every_look_and_shrinks_with_knowledge() -> None:
    looks = [many_to_one_quantile(1.0, [1.0] * k, 8) for k in range(1, 13)]
    assert all(a < b for a, b in itertools.pairwise(looks))
    knowledge = [many_to_one_quantile(1.0, [1.0] * 4, dof) for dof in (2, 4, 8, 16, 64)]
    assert all(a > b for a, b in itertools.pairwise(knowledge))


def test_a_nearly_exact_follow_up_does_not_break_the_integral() -> None:
    assert many_to_one_quantile(1.0, [1e-9] * 3, 8) == pytest.approx(
        two_sided_quantile(8), rel=0.05
    )
    assert probability_within(2.0, [0.999999] * 3, 50_000) == pytest.approx(0.9545, abs=0.01)


@pytest.mark.parametrize(("baseline", "follow_ups"), [(1.0, []), (0.0, [1.0]), (1.0, [1.0, -1.0])])
def test_refuses_designs_without_a_limit(baseline: float, follow_ups: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one follow-up and positive variances"):
        many_to_one_quantile(baseline, follow_ups, 5)


def test_interval_is_clipped_to_what_is_possible() -> None:
    low, high = interval(0.02, 0.02, 4, lowest=0.0, highest=1.0)
    assert (low, high) == (0.0, pytest.approx(0.02 + 2.7764451 * 0.02))


def test_mdc_factor() -> None:
    assert pytest.approx(2.77186, abs=1e-5) == MDC95_FACTOR


def test_sum_of_two_errors_has_fisher_s_tabulated_limit() -> None:
    """Behrens-Fisher, 5 % two-sided, n1 = n2 = 6: 2.435 at 45 degrees, 2.447 at 0."""
    assert two_sided_quantile(dof_of_sum(0.5, 6.0, 6.0)) == pytest.approx(2.435, abs=0.005)
    assert two_sided_quantile(dof_of_sum(1.0, 6.0, 6.0)) == pytest.approx(2.447, abs=0.001)


@pytest.mark.parametrize(("share", "first", "second"), [(0.34, 4.0, 2.5), (0.34, 4.0, 30.0)])
def test_sum_of_two_errors_agrees_with_a_simulation(
    share: float, first: float, second: float
) -> None:
    rng = np.random.default_rng(21)
    drawn = math.sqrt(share) * rng.standard_t(first, 400_000)
    drawn += math.sqrt(1 - share) * rng.standard_t(second, 400_000)
    limit = two_sided_quantile(dof_of_sum(share, first, second))
    assert np.mean(np.abs(drawn) <= limit) == pytest.approx(0.95, abs=0.0025)


def test_sum_with_one_error_alone_or_both_known() -> None:
    assert dof_of_sum(0.0, 4.0, 7.0) == 7.0
    assert dof_of_sum(1.0, 4.0, 7.0) == 4.0
    assert dof_of_sum(0.5, 20_000.0, 20_000.0) == 10_000.0
