import math

import numpy as np
import pytest
from agreement_pairs import COVERAGES, ICC_AGREEMENT, ICC_CONSISTENCY
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from scalptrack.longitudinal.agreement import (
    Estimate,
    bland_altman,
    reliability,
    repeatability,
)

# Six targets rated by four judges: table 2 of Shrout and Fleiss (1979).
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
ALIKE = [[4, 5], [5, 4], [4, 4], [5, 5], [4, 5]]
# Peak flow by two meters: table 1 of Bland and Altman, Lancet 1986;1:307-310.
LARGE_METER = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI_METER = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


@pytest.mark.parametrize(
    ("ratings", "agreement", "consistency"),
    [
        # pingouin 0.7.0, intraclass_corr, ICC(A,1) and ICC(C,1), unrounded.
        (
            SHROUT_FLEISS,
            (0.28976377952755916, 0.018786513374712058, 0.7610843696489527),
            (0.7148407148407154, 0.34246476503392614, 0.9458582599553597),
        ),
        (
            COVERAGES,
            ICC_AGREEMENT,
            ICC_CONSISTENCY,
        ),
        (
            ALIKE,
            (-0.20000000000000046, -1.1887708654800335, 0.7750835125693668),
            (-0.16666666666666693, -0.861556647188396, 0.745559326083786),
        ),
    ],
)
def test_correlations_agree_with_another_implementation(
    ratings: list[list[float]],
    agreement: tuple[float, float, float],
    consistency: tuple[float, float, float],
) -> None:
    found = reliability(ratings)
    assert ends(found.icc_agreement) == pytest.approx(agreement, abs=1e-6)
    assert ends(found.icc_consistency) == pytest.approx(consistency, abs=1e-6)


def test_published_example_of_shrout_and_fleiss() -> None:
    """Published: BMS 11.24, JMS 32.49, EMS 1.02; ICC(2,1) .29 and ICC(3,1) .71."""
    found = reliability(SHROUT_FLEISS)
    assert (round(found.icc_agreement.value, 2), round(found.icc_consistency.value, 2)) == (
        0.29,
        0.71,
    )
    assert found.sem_consistency.value**2 == pytest.approx(1.02, abs=0.005)
    assert found.sem_agreement.value**2 == pytest.approx(1.02 + (32.49 - 1.02) / 6, abs=0.01)
    assert found.between_subject_sd == pytest.approx(math.sqrt((11.24 - 1.02) / 4), abs=0.005)
    assert (found.subjects, found.raters) == (6, 4)


def test_error_of_two_raters_agrees_with_the_differences() -> None:
    """With two raters the error variance is half that of the differences."""
    found = reliability(COVERAGES)
    differences = np.diff(COVERAGES, axis=1)[:, 0]
    sem = differences.std(ddof=1) / math.sqrt(2)
    low, high = stats.chi2.isf([0.025, 0.975], 7)
    expected = (sem, sem * math.sqrt(7 / low), sem * math.sqrt(7 / high))
    assert ends(found.sem_consistency) == pytest.approx(expected, abs=1e-6)
    sdc = tuple(1.96 * math.sqrt(2) * value for value in expected)
    assert ends(found.sdc_consistency) == pytest.approx(sdc, abs=1e-6)
    assert found.sem_agreement.value**2 == pytest.approx(np.mean(differences**2) / 2, abs=1e-9)
    assert found.sdc_agreement.value == pytest.approx(found.sem_agreement.value * 2.7718585823)


def test_error_with_levels_has_satterthwaite_s_degrees_of_freedom() -> None:
    """Oracle: the sum of two mean squares, from a plain analysis of variance by hand."""
    table = np.array(COVERAGES)[:, [0, 1, 0]] + np.array([0.0, 0.0, 0.9]) * np.arange(8)[:, None]
    n, k = table.shape
    effects = table.mean(axis=1, keepdims=True) + table.mean(axis=0) - table.mean()
    error = ((table - effects) ** 2).sum() / 14
    levels = n * table.mean(axis=0).var(ddof=1)
    parts = ((n - 1) / n * error, levels / n)
    dof = sum(parts) ** 2 / (parts[0] ** 2 / 14 + parts[1] ** 2 / (k - 1))
    found = reliability(table).sem_agreement
    assert found.value**2 == pytest.approx(sum(parts), rel=1e-9)
    assert found.high == pytest.approx(
        found.value * math.sqrt(dof / stats.chi2.ppf(0.025, dof)), abs=1e-6
    )
    assert dof > 4


def test_levels_of_few_raters_leave_a_wide_interval() -> None:
    found = reliability(np.array(COVERAGES) + np.array([0.0, 8.0]))
    width = found.sem_agreement.high / found.sem_agreement.low
    assert width > 5 * found.sem_consistency.high / found.sem_consistency.low
    assert found.sem_agreement.low < found.sem_agreement.value < found.sem_agreement.high


def test_correlation_depends_on_the_subjects_and_the_error_does_not() -> None:
    """SDC 5.5 points: 0.99 at a between-subject SD of 20 and 0.94 at 8 (design notes)."""
    rng = np.random.default_rng(6)
    levels, errors = rng.standard_normal(4000), rng.standard_normal((4000, 2)) * 5.5 / 2.7719
    many = {sd: reliability(50 + sd * levels[:, None] + errors) for sd in (20.0, 8.0)}
    assert many[20.0].icc_agreement.value == pytest.approx(0.99, abs=0.003)
    assert many[8.0].icc_agreement.value == pytest.approx(0.94, abs=0.006)
    for sd, found in many.items():
        assert found.sdc_agreement.value == pytest.approx(5.5, abs=0.15)
        assert found.between_subject_sd == pytest.approx(sd, rel=0.05)


def test_published_example_of_bland_and_altman() -> None:
    found = bland_altman(MINI_METER, LARGE_METER)
    assert (found.bias.value, found.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    limits = (found.lower_limit.value, found.upper_limit.value)
    # Printed as -79.7 and 75.5, from the rounded bias and SD and 2 SD.
    assert limits == pytest.approx((-2.118 - 1.96 * 38.765, -2.118 + 1.96 * 38.765), abs=0.01)
    assert found.pairs == 17


def test_intervals_of_the_limits_agree_with_numerical_integration() -> None:
    """Oracle: the fiducial distribution of mean + 1.96 SD, integrated over the scale."""
    found = bland_altman(MINI_METER, LARGE_METER)
    n = found.pairs

    def below(end: float) -> float:
        reach = (end - found.bias.value) / found.sd
        chi = stats.chi(n - 1, scale=1 / math.sqrt(n - 1))
        return float(
            integrate.quad(
                lambda u: chi.pdf(u) * stats.norm.cdf(math.sqrt(n) * (reach * u - 1.96)), 0, 3
            )[0]
        )

    assert below(found.upper_limit.low) == pytest.approx(0.025, abs=1e-6)
    assert below(found.upper_limit.high) == pytest.approx(0.975, abs=1e-6)
    for end, other in (("low", "high"), ("high", "low")):
        up = getattr(found.upper_limit, end) - found.bias.value
        down = found.bias.value - getattr(found.lower_limit, other)
        assert up == pytest.approx(down, abs=1e-9)


@pytest.mark.parametrize(
    ("pairs", "low", "high"), [(10, 0.70, 1.76), (30, 0.80, 1.34), (50, 0.84, 1.24)]
)
def test_sdc_of_few_pairs_is_uncertain_by_the_known_factor(
    pairs: int, low: float, high: float
) -> None:
    rng = np.random.default_rng(2)
    found = repeatability((50 + rng.standard_normal((pairs, 2))).tolist())
    assert found.degrees_of_freedom == pairs
    assert found.sdc.low / found.sdc.value == pytest.approx(low, abs=0.005)
    assert found.sdc.high / found.sdc.value == pytest.approx(high, abs=0.006)
    assert found.sdc.value == pytest.approx(1.96 * math.sqrt(2) * found.sem.value)


def test_repeatability_agrees_with_a_one_way_analysis_of_variance() -> None:
    found = repeatability(SHROUT_FLEISS)
    ratio = stats.f_oneway(*SHROUT_FLEISS).statistic
    within = np.var(SHROUT_FLEISS, axis=1, ddof=1).mean()
    assert found.sem.value**2 == pytest.approx(within, abs=1e-9)
    between = math.sqrt((ratio - 1) * within / 4)
    assert found.between_subject_sd == pytest.approx(between, abs=1e-9)
    assert found.degrees_of_freedom == 18


def test_unequal_numbers_of_replicates_are_weighed() -> None:
    rng = np.random.default_rng(4)
    levels = 50 + 10 * rng.standard_normal(3000)
    groups = [
        (level + 2 * rng.standard_normal(1 + index % 4)).tolist()
        for index, level in enumerate(levels)
    ]
    found = repeatability(groups)
    assert found.subjects == 2250
    assert found.sem.value == pytest.approx(2.0, rel=0.04)
    assert found.between_subject_sd == pytest.approx(10.0, rel=0.05)


def test_perfect_agreement_and_no_variation_at_all() -> None:
    perfect = reliability([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    assert ends(perfect.icc_agreement) == (1.0, 1.0, 1.0)
    assert perfect.icc_consistency.value == 1.0
    assert ends(perfect.sem_agreement) == (0.0, 0.0, 0.0)
    flat = reliability([[1.0, 1.0]] * 4)
    assert math.isnan(flat.icc_agreement.value)
    assert math.isnan(flat.icc_consistency.value)
    assert flat.between_subject_sd == 0.0
    shifted = reliability([[1.0, 3.0], [2.0, 4.0], [4.0, 6.0]])
    assert shifted.icc_consistency.value == 1.0
    assert shifted.icc_agreement.value == pytest.approx(7 / 13, abs=1e-9)
    assert shifted.icc_agreement.low < 7 / 13 < shifted.icc_agreement.high < 1.0


@given(
    st.lists(
        st.tuples(*[st.integers(0, 100)] * 3), min_size=3, max_size=12, unique_by=lambda row: row[0]
    )
)
def test_a_shift_of_one_rater_changes_agreement_alone(rows: list[tuple[int, int, int]]) -> None:
    ratings = np.array(rows, dtype=float)
    before, after = reliability(ratings), reliability(ratings + np.array([0.0, 0.0, 500.0]))
    assert after.icc_consistency.value == pytest.approx(before.icc_consistency.value, abs=1e-9)
    assert after.sem_agreement.value > before.sem_agreement.value
    assert after.sem_consistency.value == pytest.approx(before.sem_consistency.value, abs=1e-9)


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ([[1.0, 2.0]] * 2, "at least 3 subjects"),
        ([[1.0]] * 5, "a column per rater"),
        ([[1.0, 2.0], [1.0, math.nan], [2.0, 3.0]], "missing or not finite"),
        ([1.0, 2.0, 3.0], "a row per subject"),
    ],
)
def test_what_can_t_be_analysed_is_refused(ratings: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reliability(ratings)


def test_pairs_must_pair() -> None:
    with pytest.raises(ValueError, match=r"pairs are needed, got shapes \(3,\) and \(4,\)"):
        bland_altman([1, 2, 3], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="at least 3 subjects"):
        bland_altman([1, 2], [1, 2])
    with pytest.raises(ValueError, match="at least 3 subjects"):
        repeatability([[1.0, 2.0], [1.0], [2.0], [1.0, 3.0]])
