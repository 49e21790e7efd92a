"""The interval of a single coverage: wider where looks differ and where the network doubts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import disc, segmentation_of

from scalptrack.records import Segmentation
from scalptrack.segmentation import coverage_interval
from scalptrack.segmentation.uncertainty import (
    BASE_FRACTION,
    PER_DOUBT,
    PER_FORETOLD,
    PER_FORETOLD_HAIR,
    coverage_sd_fraction,
    doubt_of,
)

SCALP = disc(80, 30)


def _segmentation(level: float, *, spread: float = 0.0, doubt: float = 0.0) -> Segmentation:
    fraction = np.where(SCALP, level, 0.0)
    made = segmentation_of(fraction, SCALP, coverage_sd=spread)
    return replace(made, doubt=np.where(SCALP, doubt, 0.9).astype(np.float32))


def _interval(level: float, *, spread: float = 0.0, doubt: float = 0.0) -> tuple[float, float]:
    return coverage_interval(level, _segmentation(level, spread=spread, doubt=doubt), SCALP)


def test_agreeing_looks_without_doubt_leave_the_narrowest_interval():
    low, high = _interval(1.0)
    assert high == 1.0
    assert low == pytest.approx(1 - 1.96 * BASE_FRACTION)


def test_doubt_is_that_of_the_region_alone():
    made = _segmentation(0.5, doubt=0.04)
    assert made.mean_doubt(SCALP) == pytest.approx(0.04)
    assert made.mean_doubt(~SCALP) == pytest.approx(0.9)
    assert made.mean_doubt(SCALP & False) == 0
    assert replace(made, doubt=None).mean_doubt(SCALP) == 0


def test_the_interval_grows_with_spread_and_with_doubt():
    assert coverage_sd_fraction(0.04, 0.02) > coverage_sd_fraction(0.01, 0.02)
    assert coverage_sd_fraction(0.01, 0.06) > coverage_sd_fraction(0.01, 0.02)
    calm, restless, doubtful = (
        _interval(0.5),
        _interval(0.5, spread=0.03),
        _interval(0.5, doubt=0.1),
    )
    assert restless[0] < calm[0] < 0.5 < calm[1] < restless[1]
    sd = np.hypot(BASE_FRACTION, 0.1 * PER_DOUBT)
    assert doubtful == pytest.approx((0.5 - 1.96 * sd, 0.5 + 1.96 * sd), rel=1e-6)


def test_doubt_is_in_proportion_to_what_the_network_foretells():
    foretold = np.array([[0.0, 0.02, 0.04, 0.9]], np.float32)
    found = doubt_of(foretold)
    np.testing.assert_allclose(found[0, :3], PER_FORETOLD * foretold[0, :3], rtol=1e-6)
    assert found[0, 1] > foretold[0, 1]
    assert found[0, 3] == 1
    own = doubt_of(foretold, PER_FORETOLD_HAIR)
    np.testing.assert_allclose(own[0, :3], PER_FORETOLD_HAIR * foretold[0, :3], rtol=1e-6)
