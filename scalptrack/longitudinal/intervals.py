"""Quantiles: how many standard errors wide an interval is, and how far is far enough.

References
----------
.. [1] Dunnett CW. A multiple comparison procedure for comparing several treatments with a control.
   J Am Stat Assoc 1955;50:1096-1121. doi:10.1080/01621459.1955.10501294
.. [2] Genz A, Bretz F. Computation of multivariate normal and t probabilities. Lecture Notes in
   Statistics 195, Springer 2009. doi:10.1007/978-3-642-01689-9
.. [3] Fisher RA. The fiducial argument in statistical inference. Ann Eugen 1935;6:391-398.
   doi:10.1111/j.1469-1809.1935.tb02120.x
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from scalptrack.records import FloatArray

CONFIDENCE = 0.95
"""Level of every interval, and one minus the false alarm rate of a whole timeline."""

MDC95_FACTOR = 1.96 * math.sqrt(2.0)
"""MDC95 = 1.96 · √2 · SD: between two single photographs, for one look."""

_LARGE_DOF = 10_000
_NORMAL_NODES = np.linspace(-9.0, 9.0, 241)
_SCALE_NODES, _SCALE_WEIGHTS = np.polynomial.legendre.leggauss(80)


def two_sided_quantile(dof: float, *, confidence: float = CONFIDENCE) -> float:
    """Half-width of a two-sided interval in standard errors: Student's t.

    Examples
    --------
    >>> round(two_sided_quantile(4), 3)
    2.776
    """
    return float(special.stdtrit(dof, 0.5 + confidence / 2.0))


def interval(
    centre: float, sd: float, dof: float, *, lowest: float, highest: float
) -> tuple[float, float]:
    """95 % interval around a centre, clipped to what is possible."""
    half = two_sided_quantile(dof) * sd
    return max(centre - half, lowest), min(centre + half, highest)


@lru_cache(maxsize=512)
def dof_of_sum(first_share: float, first_dof: float, second_dof: float) -> float:
    """Degrees of freedom of a sum of two errors whose variances were estimated apart.

    Student's t with so many has the 95 % point of the Behrens-Fisher distribution [3]_: the sum of
    two t variables, weighted by the shares of the variance. Satterthwaite's formula promises more
    than that where one of the two is known from few degrees of freedom.

    Parameters
    ----------
    first_share : float
        Share of the first error in the variance of the sum, 0 to 1.
    first_dof, second_dof : float
        Degrees of freedom of either estimate.

    Examples
    --------
    >>> dof_of_sum(1.0, 4.0, 50.0), dof_of_sum(0.5, 6.0, 6.0)
    (4.0, 6.1)
    """
    first_scales, first_weights = _scale_rule(first_dof)
    second_scales, second_weights = _scale_rule(second_dof)
    sds = np.sqrt(first_share / first_scales[:, None] ** 2 + (1.0 - first_share) / second_scales**2)

    def inside(limit: float) -> float:
        within = special.ndtr(limit / sds) - special.ndtr(-limit / sds)
        return float(first_weights @ within @ second_weights)

    limit = optimize.brentq(lambda each: inside(each) - CONFIDENCE, 1.9, 60.0, xtol=1e-6)
    if limit <= two_sided_quantile(_LARGE_DOF):
        return float(_LARGE_DOF)
    dof = optimize.brentq(lambda each: two_sided_quantile(each) - limit, 0.5, _LARGE_DOF)
    return round(float(dof), 1)


def many_to_one_quantile(
    baseline_variance: float,
    follow_up_variances: Sequence[float],
    dof: float,
    *,
    confidence: float = CONFIDENCE,
) -> float:
    """How many standard errors a change from baseline must exceed when several are looked at.

    All follow-ups are compared with the same baseline, which correlates the changes (0.5 when
    all visits are equally precise). The limit is exceeded by any one of them in 5 % of unchanged
    series [1]_; for one follow-up it is Student's t.

    Parameters
    ----------
    baseline_variance : float
        Variance of the baseline's mean, > 0.
    follow_up_variances : sequence of float
        Variances of the follow-ups' means, each > 0.
    dof : float
        Degrees of freedom of the variance that all of them share.

    Raises
    ------
    ValueError
        If there is no follow-up, or a variance is not positive.

    Examples
    --------
    >>> round(many_to_one_quantile(1.0, [1.0, 1.0, 1.0], 10), 2)
    2.76
    """
    if not follow_up_variances or min(baseline_variance, *follow_up_variances) <= 0:
        raise ValueError(
            "at least one follow-up and positive variances are needed, got "
            f"{baseline_variance} and {list(follow_up_variances)}"
        )
    loadings = tuple(
        sorted(
            round(math.sqrt(baseline_variance / (baseline_variance + variance)), 4)
            for variance in follow_up_variances
        )
    )
    return _quantile_of_loadings(loadings, dof, confidence)


@lru_cache(maxsize=4096)
def _quantile_of_loadings(loadings: tuple[float, ...], dof: float, confidence: float) -> float:
    """Solve for the limit; cached, because designs repeat within a study."""
    single = two_sided_quantile(dof, confidence=confidence)
    if len(loadings) == 1:
        return single
    bonferroni = two_sided_quantile(dof, confidence=1.0 - (1.0 - confidence) / len(loadings))
    return float(
        optimize.brentq(
            lambda limit: probability_within(limit, loadings, dof) - confidence,
            single * 0.99,
            bonferroni * 1.01,
            xtol=1e-7,
        )
    )


def probability_within(limit: float, loadings: Sequence[float], dof: float) -> float:
    """Probability that no change of an unchanged series exceeds the limit.

    The studentised changes are ``(loading * z + sqrt(1 - loading²) * e) / s`` with a common
    normal z, independent normal e and a common scale s (chi over the root of its degrees of
    freedom): two integrals, whatever the number of visits [2]_. Loadings within [0, 1); above
    0.995 they are held there, where the nodes still resolve the integrand (the limit is then
    slightly too wide, never too narrow).
    """
    scales, weights = _scale_rule(dof)
    z = _NORMAL_NODES
    density = np.exp(-0.5 * z**2)
    density /= density.sum()
    given_scale_and_z = np.ones((scales.size, z.size))
    for loading in np.minimum(loadings, 0.995):
        rest = math.sqrt(1.0 - loading**2)
        upper = (limit * scales[:, None] - loading * z) / rest
        lower = (-limit * scales[:, None] - loading * z) / rest
        given_scale_and_z *= special.ndtr(upper) - special.ndtr(lower)
    return float(weights @ (given_scale_and_z @ density))


@lru_cache(maxsize=256)
def _scale_rule(dof: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights (both (N,)) that integrate over the estimated scale."""
    if dof >= _LARGE_DOF:
        return np.ones(1), np.ones(1)
    chi = stats.chi(dof, scale=1.0 / math.sqrt(dof))
    lowest, highest = chi.ppf(1e-12), chi.isf(1e-12)
    nodes = lowest + (highest - lowest) * (_SCALE_NODES + 1.0) / 2.0
    weights = _SCALE_WEIGHTS * chi.pdf(nodes)
    return nodes, weights / weights.sum()
