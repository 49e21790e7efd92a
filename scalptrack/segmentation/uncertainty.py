"""How far a coverage may be from the truth: the standard deviation that goes with it.

It is that of a single photograph's coverage about the true one. It says nothing of the change
between photographs of one head, whose errors are largely shared (`scalptrack.longitudinal`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, Segmentation

# Fitted by `python -m lab.benchmarks.people fit` on 37 people (seeds from 940,000) that are in no
# training and in no table. The fit's base was 0; no coverage is stated surer than 1 point.
BASE_FRACTION = 0.01
PER_SPREAD = 3.86
PER_AMBIGUITY = 0.077


def ambiguity(hair_fraction: NDArray[np.float32], region: BoolArray) -> float:
    """How undecided the pixels of a region are between skin and hair.

    Parameters
    ----------
    hair_fraction : float32 (H, W)
        In [0, 1].
    region : bool (H, W)
        Where coverage is measured.

    Returns
    -------
    float
        Mean of 4 f (1 - f) over the region: 0 where every pixel is skin or hair, 1 where every
        pixel is half covered, which is what fine hair looks like, and what a network answers that
        can't tell them apart. 0 for an empty region.
    """
    inside = hair_fraction[region].astype(np.float64)
    return float(np.mean(4 * inside * (1 - inside))) if inside.size else 0.0


def coverage_sd_fraction(spread_fraction: float, ambiguity_share: float) -> float:
    """Standard deviation of a photograph's coverage about the truth.

    Parameters
    ----------
    spread_fraction : float
        SD of the coverage under perturbed exposure, white balance, blur and scale
        (`Segmentation.coverage_sd_fraction`).
    ambiguity_share : float
        See `ambiguity`.

    Returns
    -------
    float
        A fraction, at least `BASE_FRACTION`.
    """
    parts = (BASE_FRACTION, PER_SPREAD * spread_fraction, PER_AMBIGUITY * ambiguity_share)
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
    sd = coverage_sd_fraction(
        segmentation.coverage_sd_fraction, ambiguity(segmentation.hair_fraction, region)
    )
    return max(0.0, coverage_fraction - 1.96 * sd), min(1.0, coverage_fraction + 1.96 * sd)
