"""The interval of a single coverage: wider where looks differ and where pixels are undecided."""

from __future__ import annotations

import numpy as np
import pytest
from builders import disc, segmentation_of

from scalptrack.segmentation import coverage_interval
from scalptrack.segmentation.uncertainty import BASE_FRACTION, ambiguity, coverage_sd_fraction

SCALP = disc(80, 30)


def _interval(level: float, spread: float = 0.0) -> tuple[float, float]:
    fraction = np.where(SCALP, level, 0.0)
    return coverage_interval(level, segmentation_of(fraction, SCALP, coverage_sd=spread), SCALP)


def test_decided_pixels_of_agreeing_looks_leave_the_least_doubt():
    low, high = _interval(1.0)
    assert high == 1.0
    assert low == pytest.approx(1 - 1.96 * BASE_FRACTION)


@pytest.mark.parametrize(("level", "share"), [(0.0, 0.0), (0.5, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_ambiguity_is_that_of_the_region_alone(level, share):
    fraction = np.where(SCALP, level, 0.5).astype(np.float32)
    assert ambiguity(fraction, SCALP) == pytest.approx(share)
    assert ambiguity(fraction, SCALP & False) == 0


def test_doubt_grows_with_spread_and_with_ambiguity():
    assert coverage_sd_fraction(0.04, 0.2) > coverage_sd_fraction(0.01, 0.2)
    assert coverage_sd_fraction(0.01, 0.6) > coverage_sd_fraction(0.01, 0.2)
    calm, restless = _interval(0.5), _interval(0.5, spread=0.08)
    assert restless[0] < calm[0] < 0.5 < calm[1] < restless[1]
