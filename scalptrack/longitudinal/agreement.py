"""Study numbers: how well two methods, or repeated measurements of the same heads, agree.

An intraclass correlation says how large the error is *beside the differences between the subjects
of this study*: the same method has a high one in subjects who differ much and a low one in
subjects who are alike. So the error in its own unit (SEM), the smallest detectable change (SDC) and
the between-subject SD always stand beside it [5]_.

References
----------
.. [1] Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability. Psychol
   Bull 1979;86:420-428. doi:10.1037/0033-2909.86.2.420
.. [2] McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
   Psychol Methods 1996;1:30-46. doi:10.1037/1082-989X.1.1.30
.. [3] Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res
   1999;8:135-160. doi:10.1177/096228029900800204
.. [4] Carkeet A. Exact parametric confidence intervals for Bland-Altman limits of agreement. Optom
   Vis Sci 2015;92:e71-e80. doi:10.1097/OPX.0000000000000513
.. [5] de Vet HCW, Terwee CB, Knol DL, Bouter LM. When to use agreement versus reliability measures.
   J Clin Epidemiol 2006;59:1033-1039. doi:10.1016/j.jclinepi.2005.10.015
.. [6] Bland JM, Altman DG. Measurement error. BMJ 1996;313:744. doi:10.1136/bmj.313.7059.744
.. [7] Satterthwaite FE. An approximate distribution of estimates of variance components. Biometrics
   Bull 1946;2:110-114. doi:10.2307/3002019
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scalptrack.longitudinal.intervals import CONFIDENCE, MDC95_FACTOR, two_sided_quantile
from scalptrack.records import FloatArray

LIMIT_SDS = 1.96
"""Limits of agreement: so many SDs of the differences on either side of the bias."""

MINIMUM_SUBJECTS = 3
"""With two subjects the interval of every variance spans more than a factor of 30."""

_LOWER_TAIL = (1.0 - CONFIDENCE) / 2.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval, in the unit of the measurements or without one."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Same estimate in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Agreement of two paired measurements.

    Attributes
    ----------
    bias : Estimate
        Mean of second minus first; Student's t interval.
    sd : float
        SD of the differences.
    lower_limit, upper_limit : Estimate
        Limits of agreement, bias -/+ 1.96 SD, each with its exact interval.
    """

    pairs: int
    bias: Estimate
    sd: float
    lower_limit: Estimate
    upper_limit: Estimate


@dataclass(frozen=True, slots=True)
class Repeatability:
    """Error of one measurement from repeated ones of the same subjects.

    Attributes
    ----------
    sem : Estimate
        Standard error of measurement: the within-subject SD.
    sdc : Estimate
        Smallest detectable change between two single measurements, 1.96 · √2 · SEM.
    between_subject_sd : float
        SD of the subjects' true values in this study, 0 where error explains all differences.
    """

    subjects: int
    degrees_of_freedom: int
    sem: Estimate
    sdc: Estimate
    between_subject_sd: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Agreement of several raters, cameras or methods over the same subjects.

    Attributes
    ----------
    icc_agreement : Estimate
        ICC(2,1): raters are a sample of all raters, and their levels count as error.
    icc_consistency : Estimate
        ICC(3,1): these raters only, and their levels don't count.
    sem_agreement, sem_consistency : Estimate
        Standard error of measurement with and without the differences of the raters' levels.
    sdc_agreement, sdc_consistency : Estimate
        1.96 · √2 · SEM.
    between_subject_sd : float
        As in `Repeatability`; read no ICC without it.
    """

    subjects: int
    raters: int
    icc_agreement: Estimate
    icc_consistency: Estimate
    sem_agreement: Estimate
    sem_consistency: Estimate
    sdc_agreement: Estimate
    sdc_consistency: Estimate
    between_subject_sd: float


@dataclass(frozen=True, slots=True)
class _MeanSquares:
    """Two-way analysis of variance without replication: mean squares of n subjects, k raters."""

    subjects: int
    raters: int
    between_subjects: float
    between_raters: float
    error: float

    @property
    def error_dof(self) -> int:
        return (self.subjects - 1) * (self.raters - 1)


def bland_altman(
    first: Sequence[float] | FloatArray, second: Sequence[float] | FloatArray
) -> BlandAltman:
    """Bias and limits of agreement of paired measurements [3]_.

    Parameters
    ----------
    first, second : array_like (N,)
        Both measurements of each subject, in one unit. Subjects must be independent: pairs of
        several visits of one head are not.

    Raises
    ------
    ValueError
        If they don't pair, hold a number that isn't finite, or are fewer than 3.

    Notes
    -----
    The interval of a limit is exact for normal differences: a limit is a quantile, whose estimate
    has a noncentral t distribution [4]_.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"pairs are needed, got shapes {one.shape} and {other.shape}")
    differences = other - one
    _require_usable(differences)
    n = differences.size
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    half = two_sided_quantile(n - 1) * sd / math.sqrt(n)
    inner, outer = (
        float(stats.nct.ppf(tail, n - 1, LIMIT_SDS * math.sqrt(n))) * sd / math.sqrt(n)
        for tail in (_LOWER_TAIL, 1.0 - _LOWER_TAIL)
    )
    reach = LIMIT_SDS * sd
    return BlandAltman(
        pairs=n,
        bias=Estimate(bias, bias - half, bias + half),
        sd=sd,
        lower_limit=Estimate(bias - reach, bias - outer, bias - inner),
        upper_limit=Estimate(bias + reach, bias + inner, bias + outer),
    )


def repeatability(replicates: Sequence[Sequence[float]]) -> Repeatability:
    """Within-subject SD from replicates that have no order [6]_.

    Parameters
    ----------
    replicates : sequence of sequence of float
        Measurements of each subject, at one time; subjects with a single one say nothing of the
        error and are left out.

    Raises
    ------
    ValueError
        If fewer than 3 subjects have at least two measurements, or one isn't finite.
    """
    groups = [np.asarray(each, dtype=np.float64) for each in replicates if len(each) > 1]
    means = np.array([group.mean() for group in groups])
    _require_usable(means)
    counts = np.array([group.size for group in groups])
    squares = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups)
    dof = int(counts.sum()) - len(groups)
    variance = squares / dof
    total = counts.sum()
    grand_mean = float(counts @ means) / total
    between = float(counts @ (means - grand_mean) ** 2) / (len(groups) - 1)
    per_subject = (total - float(counts @ counts) / total) / (len(groups) - 1)
    sem = sd_estimate(variance, dof)
    return Repeatability(
        subjects=len(groups),
        degrees_of_freedom=dof,
        sem=sem,
        sdc=sem.times(MDC95_FACTOR),
        between_subject_sd=math.sqrt(max((between - variance) / per_subject, 0.0)),
    )


def reliability(ratings: Sequence[Sequence[float]] | FloatArray) -> Reliability:
    """Intraclass correlations, SEM and SDC of raters who all measured all subjects.

    Parameters
    ----------
    ratings : array_like (N, K)
        One row per subject, one column per rater, camera or method.

    Raises
    ------
    ValueError
        If a number is missing, or there are fewer than 3 subjects or 2 raters.

    Notes
    -----
    Point estimates after Shrout and Fleiss [1]_, intervals after McGraw and Wong [2]_. The
    variance behind ``sem_agreement`` is that of the raters' levels plus that of the error; its
    interval takes Satterthwaite's degrees of freedom [7]_, and two raters say little about levels.
    """
    squares = _mean_squares(np.asarray(ratings, dtype=np.float64))
    n, k = squares.subjects, squares.raters
    sem_agreement = _agreement_error(squares)
    sem_consistency = sd_estimate(squares.error, squares.error_dof)
    between = max((squares.between_subjects - squares.error) / k, 0.0)
    return Reliability(
        subjects=n,
        raters=k,
        icc_agreement=_icc_agreement(squares),
        icc_consistency=_icc_consistency(squares),
        sem_agreement=sem_agreement,
        sem_consistency=sem_consistency,
        sdc_agreement=sem_agreement.times(MDC95_FACTOR),
        sdc_consistency=sem_consistency.times(MDC95_FACTOR),
        between_subject_sd=math.sqrt(between),
    )


def _require_usable(values: FloatArray) -> None:
    """Refuse numbers that are too few or not finite."""
    if values.size < MINIMUM_SUBJECTS:
        raise ValueError(
            f"at least {MINIMUM_SUBJECTS} subjects are needed to say how far an estimate may be "
            f"off, got {values.size}"
        )
    if not np.isfinite(values).all():
        raise ValueError("a measurement is missing or not finite; leave its subject out")


def _mean_squares(ratings: FloatArray) -> _MeanSquares:
    """Analyse the variance of ratings (N, K)."""
    if ratings.ndim != 2 or ratings.shape[1] < 2:
        raise ValueError(
            f"a row per subject and a column per rater are needed, got shape {ratings.shape}"
        )
    _require_usable(ratings.mean(axis=1))
    n, k = ratings.shape
    subject_means, rater_means = ratings.mean(axis=1), ratings.mean(axis=0)
    mean = float(ratings.mean())
    residuals = ratings - subject_means[:, None] - rater_means[None, :] + mean
    return _MeanSquares(
        subjects=n,
        raters=k,
        between_subjects=k * float(np.sum((subject_means - mean) ** 2)) / (n - 1),
        between_raters=n * float(np.sum((rater_means - mean) ** 2)) / (k - 1),
        error=float(np.sum(residuals**2)) / ((n - 1) * (k - 1)),
    )


def sd_estimate(variance: float, dof: float) -> Estimate:
    """SD with the interval of a chi-square variable over its degrees of freedom."""
    low, high = stats.chi2.ppf([_LOWER_TAIL, 1.0 - _LOWER_TAIL], dof)
    sd = math.sqrt(variance)
    return Estimate(sd, sd * math.sqrt(dof / high), sd * math.sqrt(dof / low))


def _agreement_error(squares: _MeanSquares) -> Estimate:
    """SEM with the raters' levels: a sum of two mean squares, so Satterthwaite's dof."""
    n = squares.subjects
    from_error, from_raters = squares.error * (n - 1) / n, squares.between_raters / n
    variance = from_error + from_raters
    if variance == 0.0:
        return Estimate(0.0, 0.0, 0.0)
    spread = from_error**2 / squares.error_dof + from_raters**2 / (squares.raters - 1)
    return sd_estimate(variance, variance**2 / spread)


def _icc_consistency(squares: _MeanSquares) -> Estimate:
    """ICC(3,1), called ICC(C,1) by McGraw and Wong."""
    n, k = squares.subjects, squares.raters
    value = _ratio(
        squares.between_subjects - squares.error,
        squares.between_subjects + (k - 1) * squares.error,
    )
    below = float(stats.f.ppf(1.0 - _LOWER_TAIL, n - 1, squares.error_dof)) * squares.error
    above = float(stats.f.ppf(1.0 - _LOWER_TAIL, squares.error_dof, n - 1))
    low = _ratio(squares.between_subjects - below, squares.between_subjects + (k - 1) * below)
    high = _ratio(
        squares.between_subjects * above - squares.error,
        squares.between_subjects * above + (k - 1) * squares.error,
    )
    return Estimate(value, low, high)


def _icc_agreement(squares: _MeanSquares) -> Estimate:
    """ICC(2,1), called ICC(A,1) by McGraw and Wong."""
    n, k = squares.subjects, squares.raters
    rows, columns, error = squares.between_subjects, squares.between_raters, squares.error
    value = _ratio(rows - error, rows + (k - 1) * error + k * (columns - error) / n)
    if not math.isfinite(value):
        return Estimate(math.nan, math.nan, math.nan)
    if error == 0.0 and columns == 0.0:
        return Estimate(value, value, value)
    from_raters = k * value * columns
    from_error = (n * (1.0 + (k - 1) * value) - k * value) * error
    dof = squares.error_dof * (from_raters + from_error) ** 2
    dof /= (n - 1) * from_raters**2 + from_error**2
    below = float(stats.f.ppf(1.0 - _LOWER_TAIL, n - 1, dof))
    above = float(stats.f.ppf(1.0 - _LOWER_TAIL, dof, n - 1))
    rest = k * columns + (k * n - k - n) * error
    low = _ratio(n * (rows - below * error), below * rest + n * rows)
    high = _ratio(n * (above * rows - error), rest + n * above * rows)
    return Estimate(value, low, high)


def _ratio(numerator: float, denominator: float) -> float:
    """Quotient; NaN where nothing varies at all."""
    return numerator / denominator if denominator else math.nan
