"""Weighted kappa: agreement of two readers, or of a reader with himself, beyond chance.

References
----------
.. [1] Cohen J. Weighted kappa. Psychol Bull 1968;70:213-220. doi:10.1037/h0026256
.. [2] Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa.
   Psychol Bull 1969;72:323-327. doi:10.1037/h0028106
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scalptrack.longitudinal.agreement import Estimate
from scalptrack.study.statistics import NotEstimableError

MINIMUM_PAIRS = 5
"""With fewer pairs the standard error, which is one of large samples, means nothing."""

NORMAL_95 = 1.959963984540054


def weighted_kappa(
    first: Sequence[int], second: Sequence[int], *, categories: Sequence[int]
) -> Estimate:
    """Kappa with quadratic weights [1]_ and its large-sample 95 % interval [2]_.

    Parameters
    ----------
    first, second : sequence of int (N,)
        Both ratings of each pair.
    categories : sequence of int
        All ratings that are possible, in order; the weight of a disagreement grows with the
        square of the steps between them.

    Raises
    ------
    NotEstimableError
        If there are fewer than 5 pairs, or all ratings are the same.
    """
    if len(first) < MINIMUM_PAIRS:
        message = f"{len(first)} pairs were rated by both; at least {MINIMUM_PAIRS} are needed"
        raise NotEstimableError(message)
    size, count = len(categories), len(first)
    place = {category: index for index, category in enumerate(categories)}
    table = np.zeros((size, size))
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1.0 / count
    steps = np.subtract.outer(np.arange(size), np.arange(size))
    weights = 1.0 - (steps / (size - 1)) ** 2
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed = float((weights * table).sum())
    expected = float(rows @ weights @ columns)
    if expected > 1.0 - 1e-9:
        message = "all ratings are the same, so agreement beyond chance can't be told"
        raise NotEstimableError(message)
    kappa = (observed - expected) / (1.0 - expected)
    chance = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    spread = (weights * (1.0 - expected) - chance * (1.0 - observed)) ** 2
    middle = observed * expected - 2.0 * expected + observed
    variance = (float((table * spread).sum()) - middle**2) / (count * (1.0 - expected) ** 4)
    half = NORMAL_95 * math.sqrt(max(variance, 0.0))
    return Estimate(kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))
