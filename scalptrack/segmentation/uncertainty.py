"""How far a coverage may be from the truth: the standard deviation that goes with it.

It is that of a single photograph's coverage about the true one. It says nothing of the change
between photographs of one head, whose errors are largely shared (`scalptrack.longitudinal`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, Segmentation

# PER_FORETOLD was fitted by `python -m lab.benchmarks.people fit` on 38 people of lab/strands
# (seeds from 940,000) and 88 photographs of validation people 0 to 29 of lab/phantom, and is 1.70
# on 264 others (lab/strands, seeds from 200,000). The last three on 160 of them, with an earlier
# network. PER_FORETOLD_HAIR on 38 people of lab/strands (seeds from 940,000) and 33 photographs of
# the second set of changes of lab/phantom; the 95 % interval then holds the truth for 95 % of
# those 65 that have a number. None of them is in a training. No coverage is stated surer than 2
# points.
PER_FORETOLD = 1.75
PER_FORETOLD_HAIR = 1.85
"""Mean error of a coverage relative to what the first and the second network foretell."""

BASE_FRACTION = 0.02
PER_SPREAD = 2.0
PER_DOUBT = 1.1


def doubt_of(
    foretold: NDArray[np.float32], per_foretold: float = PER_FORETOLD
) -> NDArray[np.float32]:
    """How far the coverage around each pixel is expected to be from the truth.

    Parameters
    ----------
    foretold : float32 (H, W)
        What a network expects of its own error, in [0, 1]. It learned that on its training
        pictures, on which it errs less than on others.
    per_foretold : float
        How much larger its errors are.

    Returns
    -------
    float32 (H, W)
        In [0, 1].
    """
    return np.asarray(np.clip(per_foretold * foretold, 0, 1), dtype=np.float32)


def coverage_sd_fraction(spread_fraction: float, doubt_fraction: float) -> float:
    """Standard deviation of a photograph's coverage about the truth.

    Parameters
    ----------
    spread_fraction : float
        SD of the coverage under perturbed exposure, white balance, blur and scale
        (`Segmentation.coverage_sd_fraction`).
    doubt_fraction : float
        See `Segmentation.mean_doubt`.

    Returns
    -------
    float
        A fraction, at least `BASE_FRACTION`.
    """
    parts = (BASE_FRACTION, PER_SPREAD * spread_fraction, PER_DOUBT * doubt_fraction)
    return float(np.sqrt(np.sum(np.square(parts))))


def coverage_interval(
    coverage_fraction: float, segmentation: Segmentation, region: BoolArray
) -> tuple[float, float]:
    """95 % interval of a single photograph's coverage.

    Parameters
    ----------
    coverage_fraction : float
        As measured in the region.
    segmentation : Segmentation
        Of the photograph.
    region : bool (H, W)
        Where it was measured, on the segmentation's grid.

    Returns
    -------
    tuple of float
        Lower and upper end, within [0, 1].
    """
    doubt = segmentation.mean_doubt(region)
    sd = coverage_sd_fraction(segmentation.coverage_sd_fraction, doubt)
    return max(0.0, coverage_fraction - 1.96 * sd), min(1.0, coverage_fraction + 1.96 * sd)
