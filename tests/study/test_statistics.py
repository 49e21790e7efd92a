"""Statistics of a trial against independent computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from scalptrack.study.statistics import (
    NotEstimableError,
    ancova,
    difference_of_proportions,
    holm,
    mixed_model,
    power_of,
    proportion,
    subjects_per_arm,
)


def _trial(seed: int = 1, per_arm: int = 12):
    generator = np.random.default_rng(seed)
    arms = np.repeat(["drug", "none", "other"], per_arm)
    baseline = generator.normal(50, 10, arms.size)
    age = generator.normal(40, 8, arms.size)
    effect = np.select([arms == "drug", arms == "other"], [6.0, 1.0], 0.0)
    change = effect - 0.3 * (baseline - 50) + 0.1 * age + generator.normal(0, 3, arms.size)
    return change, baseline, arms, age


def test_ancova_is_least_squares_by_the_normal_equations():
    change, baseline, arms, age = _trial()
    result = ancova(change, baseline, arms, control="none", covariates=age[:, None])
    design = np.column_stack(
        [np.ones(arms.size), arms == "drug", arms == "other", baseline, age]
    ).astype(float)
    inverse = np.linalg.inv(design.T @ design)
    parameters = inverse @ design.T @ change
    residuals = change - design @ parameters
    dof = arms.size - 5
    variance = residuals @ residuals / dof
    assert [each.arm for each in result.contrasts] == ["drug", "other"]
    for index, each in enumerate(result.contrasts, start=1):
        error = math.sqrt(variance * inverse[index, index])
        half = stats.t.ppf(0.975, dof) * error
        assert each.difference.value == pytest.approx(parameters[index], rel=1e-9)
        assert each.difference.low == pytest.approx(parameters[index] - half, rel=1e-9)
        assert each.difference.high == pytest.approx(parameters[index] + half, rel=1e-9)
        p_value = 2 * (1 - stats.t.cdf(abs(parameters[index]) / error, dof))
        assert each.p_value == pytest.approx(p_value, rel=1e-6)
        assert (each.subjects, each.control_subjects, each.dof) == (12, 12, dof)
    at_means = parameters[0] + parameters[3] * baseline.mean() + parameters[4] * age.mean()
    assert result.adjusted_means["none"].value == pytest.approx(at_means, rel=1e-9)
    assert result.adjusted_means["drug"].value == pytest.approx(at_means + parameters[1], rel=1e-9)
    assert result.residual_sd.value == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_ancova_of_two_arms_with_one_baseline_is_the_t_test():
    generator = np.random.default_rng(3)
    arms = np.repeat(["a", "b"], 10)
    change = generator.normal(0, 1, 20)
    baseline = np.tile(np.arange(10.0), 2)
    ours = ancova(change - 0.0 * baseline, baseline, arms, control="a").contrasts[0]
    difference = change[10:].mean() - change[:10].mean()
    assert ours.difference.value == pytest.approx(difference, rel=1e-9)


def _visits(seed: int, slope_sd: float, per_arm: int = 10, arms=("a", "b", "c")):
    """Balanced: every subject at the same four times."""
    generator = np.random.default_rng(seed)
    times = np.array([0.0, 0.25, 0.5, 1.0])
    rows = []
    for number, arm in enumerate(np.repeat(arms, per_arm)):
        level = generator.normal(50, 8)
        slope = {"a": 0.0, "b": 4.0, "c": -2.0}[arm] + generator.normal(0, slope_sd)
        rows += [
            (level + slope * t + generator.normal(0, 1.5), t, f"s{number}", arm) for t in times
        ]
    return rows, times


def test_mixed_model_of_a_balanced_trial_is_the_analysis_of_slopes():
    """With the same times in all subjects REML's answer is that of each subject's own slope."""
    rows, times = _visits(5, slope_sd=6.0)
    outcome, years, subjects, arms = map(np.array, zip(*rows, strict=True))
    result = mixed_model(outcome, years, subjects, arms, control="a")
    centred = times - times.mean()
    slopes = outcome.reshape(-1, 4) @ centred / (centred @ centred)
    groups = slopes.reshape(3, 10)
    pooled = groups.var(axis=1, ddof=1).mean()
    error = math.sqrt(pooled * 2 / 10)
    for index, each in enumerate(result.contrasts, start=1):
        difference = groups[index].mean() - groups[0].mean()
        assert each.difference.value == pytest.approx(difference, abs=1e-3)
        assert each.standard_error == pytest.approx(error, rel=2e-3)
        assert each.dof == 27
        half = stats.t.ppf(0.975, 27) * error
        assert each.difference.low == pytest.approx(difference - half, abs=0.02)
        p_value = 2 * stats.t.sf(abs(difference) / error, 27)
        assert each.p_value == pytest.approx(p_value, rel=0.02)
    assert result.slopes["b"].value == pytest.approx(groups[1].mean(), abs=1e-3)


def test_mixed_model_without_any_spread_of_slopes_still_answers():
    rows, _ = _visits(6, slope_sd=0.0)
    outcome, years, subjects, arms = map(np.array, zip(*rows, strict=True))
    result = mixed_model(outcome, years, subjects, arms, control="a")
    assert result.contrasts[0].difference.low < 4.0 < result.contrasts[0].difference.high
    assert 0.0 <= result.slope_sd < 3.0
    assert result.residual_sd == pytest.approx(1.5, rel=0.25)


def test_mixed_model_leaves_out_subjects_with_one_visit_and_says_how_many_it_used():
    rows, _ = _visits(7, slope_sd=3.0)
    kept = [row for row in rows if row[2] != "s0" or row[1] == 0.0]
    outcome, years, subjects, arms = map(np.array, zip(*kept, strict=True))
    contrast = mixed_model(outcome, years, subjects, arms, control="a").contrasts[0]
    assert (contrast.subjects, contrast.control_subjects) == (10, 9)


def test_too_few_subjects_are_a_reason_and_no_number():
    with pytest.raises(NotEstimableError, match="the control a has 2 subjects"):
        ancova(np.zeros(7), np.arange(7.0), ["a"] * 2 + ["b"] * 5, control="a")
    with pytest.raises(NotEstimableError, match="no arm has 3 subjects"):
        ancova(np.zeros(7), np.arange(7.0), ["a"] * 5 + ["b"] * 2, control="a")
    with pytest.raises(NotEstimableError, match="8 values can't tell the 3 terms"):
        ancova(np.zeros(8), np.ones(8), ["a"] * 4 + ["b"] * 4, control="a")


def test_an_arm_with_too_few_subjects_does_not_stop_the_others():
    change, baseline, arms, _ = _trial()
    kept = np.r_[0:12, 12:24, 24:26]
    result = ancova(change[kept], baseline[kept], arms[kept], control="none")
    assert [each.arm for each in result.contrasts] == ["drug"]


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_one_of_statsmodels(seed):
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 7)
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values.tolist()) == pytest.approx(expected.tolist(), rel=1e-12)


def test_holm_leaves_out_what_was_not_tested():
    adjusted = holm([0.01, math.nan, 0.04])
    assert adjusted[0] == pytest.approx(0.02)
    assert math.isnan(adjusted[1])
    assert adjusted[2] == pytest.approx(0.04)


def test_proportions_are_those_of_statsmodels():
    low, high = proportion_confint(7, 20, method="beta")
    assert proportion(7, 20).value == pytest.approx(0.35)
    assert proportion(7, 20).low == pytest.approx(low, rel=1e-9)
    assert proportion(7, 20).high == pytest.approx(high, rel=1e-9)
    difference, p_value = difference_of_proportions(7, 20, 2, 19)
    low, high = confint_proportions_2indep(7, 20, 2, 19, method="newcomb")
    assert difference.value == pytest.approx(7 / 20 - 2 / 19)
    assert difference.low == pytest.approx(low, abs=1e-6)
    assert difference.high == pytest.approx(high, abs=1e-6)
    # Fisher's exact test from the hypergeometric distribution.
    probabilities = stats.hypergeom.pmf(np.arange(10), 39, 9, 20)
    expected = probabilities[probabilities <= probabilities[7] * (1 + 1e-7)].sum()
    assert p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("sd", "difference", "power", "alpha"),
    [(8.0, 5.0, 0.8, 0.05), (8.0, -2.0, 0.9, 0.025), (1.0, 1.5, 0.95, 0.01)],
)
def test_sample_sizes_are_those_of_statsmodels(sd, difference, power, alpha):
    exact = TTestIndPower().solve_power(effect_size=abs(difference) / sd, power=power, alpha=alpha)
    subjects = subjects_per_arm(sd, difference, power=power, alpha=alpha)
    assert subjects == math.ceil(exact)
    assert power_of(sd, difference, subjects=subjects, alpha=alpha) >= power
    assert power_of(sd, difference, subjects=subjects - 1, alpha=alpha) < power


def test_a_sample_size_of_nonsense_is_refused():
    with pytest.raises(ValueError, match="no sample size"):
        subjects_per_arm(8.0, 0.0, power=0.8, alpha=0.05)
    with pytest.raises(ValueError, match="more than 1000000 subjects"):
        subjects_per_arm(8.0, 0.0001, power=0.8, alpha=0.05)
