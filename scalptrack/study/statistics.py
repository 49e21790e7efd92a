"""Statistics of a trial: numbers in, estimates out; nothing here knows files or databases.

References
----------
.. [1] Vickers AJ, Altman DG. Analysing controlled trials with baseline and follow up measurements.
   BMJ 2001;323:1123-1124. doi:10.1136/bmj.323.7321.1123
.. [2] Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963-974.
   doi:10.2307/2529876
.. [3] Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.
.. [4] Newcombe RG. Interval estimation for the difference between independent proportions. Stat Med
   1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from scalptrack.longitudinal.agreement import Estimate, sd_estimate
from scalptrack.longitudinal.intervals import two_sided_quantile
from scalptrack.records import FloatArray

MINIMUM_PER_ARM = 3
"""With fewer subjects in an arm no difference of arms is stated."""

MIXED_METHODS = ("lbfgs", "bfgs", "powell")
"""Optimisers of the mixed model, tried in this order until one converges."""

MAX_SAMPLE_SIZE = 10**6


@dataclass(frozen=True, slots=True)
class Contrast:
    """Difference of an arm from the control, in the unit of the outcome.

    Attributes
    ----------
    subjects, control_subjects : int
        Subjects of either arm that the model used.
    dof : float
        Degrees of freedom of Student's t for interval and ``p_value`` (two-sided).
    """

    arm: str
    control: str
    subjects: int
    control_subjects: int
    difference: Estimate
    standard_error: float
    dof: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Ancova:
    """Changes of the arms, adjusted for baseline [1]_.

    Attributes
    ----------
    contrasts : tuple of Contrast
        Every arm against the control.
    adjusted_means : dict of str to Estimate
        Change of each arm for a subject with the mean baseline and covariates of all.
    residual_sd : Estimate
        SD between subjects that the model leaves: what a sample size is planned with.
    """

    contrasts: tuple[Contrast, ...]
    adjusted_means: dict[str, Estimate]
    residual_sd: Estimate


@dataclass(frozen=True, slots=True)
class MixedModel:
    """Slopes of the arms per year, from a random intercept and slope for each subject [2]_."""

    contrasts: tuple[Contrast, ...]
    slopes: dict[str, Estimate]
    intercept_sd: float
    slope_sd: float
    residual_sd: float


class NotEstimableError(ValueError):
    """There is no number; the message is the reason, for a person."""


def ancova(
    change: FloatArray,
    baseline: FloatArray,
    arms: Sequence[str],
    *,
    control: str,
    covariates: FloatArray | None = None,
) -> Ancova:
    """Compare changes from baseline between arms, adjusted for the baseline.

    Parameters
    ----------
    change, baseline : array (N,)
        One value per subject.
    arms : sequence of str
        Arm of each subject.
    control : str
        The arm that the others are compared with.
    covariates : array (N, K), optional
        Further columns of the model.

    Raises
    ------
    NotEstimableError
        If the control or all other arms have fewer than 3 subjects, or the columns of the model
        can't be told apart.
    """
    import statsmodels.api as sm

    names, counts = _usable_arms(arms, control)
    keep = np.isin(np.asarray(arms), names)
    member = np.asarray(arms)[keep]
    columns = [np.ones(member.size), *(member == name for name in names[1:])]
    adjusting = [_centred(np.asarray(baseline, dtype=float)[keep])]
    if covariates is not None:
        adjusting += [_centred(each) for each in np.asarray(covariates, dtype=float)[keep].T]
    design = np.column_stack([*columns, *adjusting]).astype(float)
    _require_full_rank(design)
    fit = sm.OLS(np.asarray(change, dtype=float)[keep], design).fit()
    covariance, dof = np.asarray(fit.cov_params()), float(fit.df_resid)
    contrasts = []
    means = {}
    for index, name in enumerate(names):
        weights = np.zeros(design.shape[1])
        weights[0] = 1.0
        weights[index] = 1.0
        means[name] = _estimate(weights @ fit.params, weights @ covariance @ weights, dof)[0]
        if index:
            found = (float(fit.params[index]), float(covariance[index, index]))
            contrasts.append(_contrast((name, names[0]), counts, *found, dof))
    return Ancova(tuple(contrasts), means, sd_estimate(float(fit.mse_resid), dof))


def mixed_model(
    outcome: FloatArray,
    years: FloatArray,
    subjects: Sequence[str],
    arms: Sequence[str],
    *,
    control: str,
) -> MixedModel:
    """Compare slopes between arms: outcome ~ arm * years, random intercept and slope by subject.

    Parameters
    ----------
    outcome, years : array (N,)
        One value per subject and visit, and the years since its baseline.
    subjects, arms : sequence of str
        Subject and arm of each value.
    control : str
        The arm that the others are compared with.

    Raises
    ------
    NotEstimableError
        If an arm has too few subjects with two visits, or the fit doesn't converge.

    Notes
    -----
    REML. Intervals are Student's t with (subjects - arms) degrees of freedom, which is exact when
    all subjects are seen at the same times; the normal distribution would be too sure. The
    covariance of the slopes is computed from the fitted variances, because the program that fits
    them can't give it where one is zero.
    """
    group = np.asarray(subjects)
    several = {each for each in set(group.tolist()) if np.unique(years[group == each]).size > 1}
    keep = np.isin(group, sorted(several))
    group, member = group[keep], np.asarray(arms)[keep]
    time, values = np.asarray(years, dtype=float)[keep], np.asarray(outcome, dtype=float)[keep]
    arm_of = dict(zip(group.tolist(), member.tolist(), strict=True))
    names, counts = _usable_arms(list(arm_of.values()), control)
    keep = np.isin(member, names)
    group, member, time, values = group[keep], member[keep], time[keep], values[keep]
    belongs = np.column_stack([member == name for name in names]).astype(float)
    design = np.column_stack([belongs, belongs * time[:, None]])
    _require_full_rank(design)
    random = np.column_stack([np.ones(time.size), time])
    fit = _fit_mixed(values, design, random, group)
    spread = np.asarray(fit.cov_re, dtype=float)
    covariance = _fixed_covariance(design, random, group, spread, float(fit.scale))
    dof = float(sum(counts.values()) - len(names))
    slopes = np.asarray(fit.fe_params, dtype=float)[len(names) :]
    variance = covariance[len(names) :, len(names) :]
    contrasts = tuple(
        _contrast(
            (name, names[0]),
            counts,
            float(slopes[index] - slopes[0]),
            float(variance[index, index] + variance[0, 0] - 2 * variance[index, 0]),
            dof,
        )
        for index, name in enumerate(names)
        if index
    )
    return MixedModel(
        contrasts=contrasts,
        slopes={
            name: _estimate(float(slopes[index]), float(variance[index, index]), dof)[0]
            for index, name in enumerate(names)
        },
        intercept_sd=math.sqrt(max(spread[0, 0], 0.0)),
        slope_sd=math.sqrt(max(spread[1, 1], 0.0)),
        residual_sd=math.sqrt(float(fit.scale)),
    )


def _fit_mixed(
    values: FloatArray, design: FloatArray, random: FloatArray, group: FloatArray
) -> Any:
    """Fit by the first optimiser that converges; a variance of zero is a fit like any other."""
    import statsmodels.api as sm

    model = sm.MixedLM(values, design, groups=group, exog_re=random)
    for method in MIXED_METHODS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                fit = model.fit(reml=True, method=method)
            except (np.linalg.LinAlgError, ValueError):
                continue
        if fit.converged and np.isfinite(fit.fe_params).all() and fit.scale > 0:
            return fit
    message = "the mixed model did not converge"
    raise NotEstimableError(message)


def _fixed_covariance(
    design: FloatArray, random: FloatArray, group: FloatArray, spread: FloatArray, scale: float
) -> FloatArray:
    """Covariance of the fixed effects for the fitted variances (generalised least squares)."""
    information = np.zeros((design.shape[1], design.shape[1]))
    for each in np.unique(group):
        rows = group == each
        within = random[rows] @ spread @ random[rows].T + scale * np.eye(int(rows.sum()))
        information += design[rows].T @ np.linalg.solve(within, design[rows])
    return np.asarray(np.linalg.inv(information))


def _usable_arms(arms: Sequence[str], control: str) -> tuple[list[str], dict[str, int]]:
    """Control and arms with enough subjects, control first, with their numbers of subjects."""
    counts = {name: list(arms).count(name) for name in sorted(set(arms))}
    if counts.get(control, 0) < MINIMUM_PER_ARM:
        raise NotEstimableError(
            f"the control {control} has {counts.get(control, 0)} subjects with the numbers that "
            f"are needed; at least {MINIMUM_PER_ARM} are"
        )
    others = [name for name in counts if name != control and counts[name] >= MINIMUM_PER_ARM]
    if not others:
        raise NotEstimableError(f"no arm has {MINIMUM_PER_ARM} subjects beside the control")
    names = [control, *others]
    return names, {name: counts[name] for name in names}


def _require_full_rank(design: FloatArray) -> None:
    rows, columns = design.shape
    if rows < columns + 2 or np.linalg.matrix_rank(design) < columns:
        raise NotEstimableError(f"{rows} values can't tell the {columns} terms of the model apart")


def _centred(values: FloatArray) -> FloatArray:
    return np.asarray(values - values.mean())


def _estimate(value: float, variance: float, dof: float) -> tuple[Estimate, float]:
    """Estimate with its interval, and its standard error."""
    error = math.sqrt(variance)
    half = two_sided_quantile(dof) * error
    return Estimate(float(value), float(value - half), float(value + half)), error


def _contrast(
    names: tuple[str, str], counts: dict[str, int], value: float, variance: float, dof: float
) -> Contrast:
    arm, control = names
    difference, error = _estimate(value, variance, dof)
    p_value = 2.0 * float(stats.t.sf(abs(value) / error, dof)) if error > 0 else math.nan
    return Contrast(arm, control, counts[arm], counts[control], difference, error, dof, p_value)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values of a family of tests [3]_; NaN is no test and stays NaN.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    tested = [index for index, value in enumerate(p_values) if math.isfinite(value)]
    adjusted = [math.nan] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(tested, key=lambda each: p_values[each])):
        highest = max(highest, min(1.0, (len(tested) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def proportion(successes: int, total: int) -> Estimate:
    """Share with its exact (Clopper-Pearson) 95 % interval; NaN of nothing."""
    if total == 0:
        return Estimate(math.nan, math.nan, math.nan)
    ends = stats.binomtest(successes, total).proportion_ci(method="exact")
    return Estimate(successes / total, float(ends.low), float(ends.high))


def difference_of_proportions(
    successes: int, total: int, control_successes: int, control_total: int
) -> tuple[Estimate, float]:
    """Difference from the control with Newcombe's interval [4]_, and Fisher's exact p-value."""
    if not total or not control_total:
        return Estimate(math.nan, math.nan, math.nan), math.nan
    ours, theirs = (
        stats.binomtest(k, n).proportion_ci(method="wilson")
        for k, n in ((successes, total), (control_successes, control_total))
    )
    one, other = successes / total, control_successes / control_total
    below = math.hypot(one - ours.low, theirs.high - other)
    above = math.hypot(ours.high - one, other - theirs.low)
    table = [
        [successes, total - successes],
        [control_successes, control_total - control_successes],
    ]
    p_value = float(stats.fisher_exact(table).pvalue)
    return Estimate(one - other, one - other - below, one - other + above), p_value


def subjects_per_arm(sd: float, difference: float, *, power: float, alpha: float) -> int:
    """Subjects in each of two arms that show a difference with the power, by Student's t.

    Parameters
    ----------
    sd, difference : float
        SD between subjects and the difference of the means, in one unit.
    power, alpha : float
        Probability of a two-sided p-value below ``alpha`` when the difference is true.

    Raises
    ------
    ValueError
        If a number is out of its range, or more than a million subjects would be needed.
    """
    if not (sd > 0 and difference != 0 and 0 < alpha < 1 and alpha < power < 1):
        raise ValueError(
            f"no sample size for SD {sd}, difference {difference}, power {power}, alpha {alpha}"
        )

    def enough(subjects: int) -> bool:
        return power_of(sd, difference, subjects=subjects, alpha=alpha) >= power

    upper = 2
    while not enough(upper):
        upper *= 2
        if upper > MAX_SAMPLE_SIZE:
            raise ValueError(f"more than {MAX_SAMPLE_SIZE} subjects per arm would be needed")
    lower = upper // 2
    while upper - lower > 1:
        middle = (lower + upper) // 2
        lower, upper = (lower, middle) if enough(middle) else (middle, upper)
    return upper


def power_of(sd: float, difference: float, *, subjects: int, alpha: float) -> float:
    """Power of a two-sided t test with so many subjects in each of two arms."""
    dof = 2 * subjects - 2
    shift = abs(difference) / sd * math.sqrt(subjects / 2)
    limit = stats.t.isf(alpha / 2, dof)
    # The far tail is below what the noncentral t can be computed for: it is nothing then.
    other_side = float(np.nan_to_num(stats.nct.cdf(-limit, dof, shift)))
    return float(stats.nct.sf(limit, dof, shift)) + other_side
