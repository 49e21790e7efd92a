"""The hair index: what coverage says of the amount of hair, where hair lies at random.

Hairs laid at random over a surface, independent of each other, cover the fraction
``C = 1 - exp(-n * l * w)`` of it, with ``n`` hairs per area that each cover ``l * w`` (visible
length times calibre): a point stays bare when none of a Poisson number of hairs lies over it. That
is the covered fraction of a Boolean model of random sets [1]_. ``-ln(1 - C) = n * l * w`` is
proportional to each of the three: 10 % more hairs, 10 % longer and 10 % thicker ones raise it
by 10 % alike, at any coverage, while coverage itself rises less the more hair there is.

Where hair is denser in one place than in another the index of the whole region is too low, never
too high (Jensen's inequality). Combing lays hair in parallel and into locks, not at random: the
index ranks amounts of hair of one person combed in one way, and is no count.

References
----------
.. [1] Chiu SN, Stoyan D, Kendall WS, Mecke J. Stochastic geometry and its applications. 3rd ed.
   Wiley 2013, chapter 3. doi:10.1002/9781118658222
.. [2] Zou GY, Donner A. Construction of confidence limits about effect measures: a general
   approach. Stat Med 2008;27:1693-1702. doi:10.1002/sim.3095
"""

from __future__ import annotations

import math

from scalptrack.records import VisitCoverage

HAIR_INDEX_MAX_COVERAGE = 0.95
"""Coverage beyond which there is no index. Near 1 the index is all error: at 0.95 a coverage that
is off by 1.5 points (the aim of the project) moves the index by 10 % of itself, at 0.98 by 19 %
(derivative ``1 / (1 - C)``)."""


def hair_index(coverage_fraction: float) -> float:
    """Hair index of a coverage; NaN beyond `HAIR_INDEX_MAX_COVERAGE`.

    Examples
    --------
    >>> round(hair_index(0.5), 3), hair_index(0.96)
    (0.693, nan)
    """
    if not 0.0 <= coverage_fraction <= HAIR_INDEX_MAX_COVERAGE:
        return math.nan
    return -math.log1p(-coverage_fraction)


def hair_index_change(baseline: VisitCoverage, visit: VisitCoverage) -> tuple[float, float, float]:
    """Difference of the hair indices of two visits, and the ends of its 95 % interval.

    Returns
    -------
    tuple of float
        Difference, lower and upper end. Each is NaN where it would need the index of a coverage
        beyond the cap: an end then lies outside of what can be stated, on its own side.

    Notes
    -----
    The index rises with coverage, so the interval of one visit's index is that of its coverage with
    both ends transformed: it holds the truth exactly as often, and it is longer upwards, as it
    should be near full coverage, where the delta method would be short. The interval of the
    difference is recovered from those of both visits [2]_: each of its ends takes the distance
    to the end of either visit that would move it that way.
    """
    difference = visit.hair_index - baseline.hair_index
    down = math.hypot(
        visit.hair_index - visit.hair_index_low, baseline.hair_index_high - baseline.hair_index
    )
    up = math.hypot(
        visit.hair_index_high - visit.hair_index, baseline.hair_index - baseline.hair_index_low
    )
    return difference, difference - down, difference + up
