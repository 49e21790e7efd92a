"""Coverage of a region that is carried as geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import Shift, disc, segmentation_of
from hypothesis import given, settings
from hypothesis import strategies as st

from scalptrack.measurement import (
    EDGE_MARGIN_PX,
    carry_region,
    co_visible_region,
    measure,
    scalp_region,
    signed_distance,
)
from scalptrack.records import Grid, RegionClass

SIZE = 120
SCALP = disc(SIZE, 45)
SCALP.setflags(write=False)


def _striped(period: int) -> np.ndarray:
    """Hair fraction of stripes: one column in `period` is hair."""
    return np.broadcast_to((np.arange(SIZE) % period == 0).astype(np.float32), (SIZE, SIZE))


def test_coverage_is_the_sum_of_fractions_over_the_number_of_pixels():
    segmentation = segmentation_of(_striped(4), SCALP)
    region = np.zeros((SIZE, SIZE), bool)
    region[40:80, 40:80] = True
    measurement = measure(segmentation, region, segmentation.grid, None)
    assert measurement.region_px == 1600
    assert measurement.hair_px == pytest.approx(400)
    assert measurement.coverage_fraction == pytest.approx(0.25)


def test_numerator_and_denominator_are_in_pixels_of_the_photograph():
    grid = Grid(0.5, 0.5, 2.0, SIZE, SIZE)
    segmentation = segmentation_of(_striped(4), SCALP, grid=grid)
    region = np.zeros((SIZE, SIZE), bool)
    region[40:80, 40:80] = True
    measurement = measure(segmentation, region, grid, None)
    assert measurement.region_px == 6400
    assert measurement.hair_px == pytest.approx(1600)


@settings(max_examples=25, deadline=None)
@given(dx=st.floats(-9, 9), dy=st.floats(-9, 9))
def test_a_carried_region_keeps_its_area_and_its_place(dx: float, dy: float):
    segmentation = segmentation_of(np.zeros((SIZE, SIZE)), np.ones((SIZE, SIZE), bool))
    region = disc(SIZE, 30)
    carried = carry_region(region, segmentation.grid, segmentation, Shift(dx, dy))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    assert carried.sum() == pytest.approx(region.sum(), rel=0.004)
    assert np.average(columns, weights=carried) == pytest.approx(59.5 + dx, abs=0.05)
    assert np.average(rows, weights=carried) == pytest.approx(59.5 + dy, abs=0.05)


def test_the_follow_up_is_measured_in_its_own_pixels_inside_the_carried_region():
    reference = segmentation_of(np.zeros((SIZE, SIZE)), SCALP)
    fraction = np.zeros((SIZE, SIZE))
    fraction[disc(SIZE, 20, (67.5, 54.5))] = 1.0
    moving = segmentation_of(fraction, np.ones((SIZE, SIZE), bool))
    region = disc(SIZE, 20)
    aligned = measure(moving, region, reference.grid, Shift(8, -5))
    ignored = measure(moving, region, reference.grid, Shift(0, 0))
    assert aligned.coverage_fraction == pytest.approx(1.0, abs=0.01)
    assert ignored.coverage_fraction < 0.8


def test_more_hair_never_lowers_the_coverage():
    region = disc(SIZE, 30)
    coverages = [
        measure(
            segmentation_of(np.minimum(_striped(5) + extra, 1), SCALP),
            region,
            Grid(0, 0, 1, SIZE, SIZE),
            None,
        ).coverage_fraction
        for extra in (0.0, 0.1, 0.4, 1.0)
    ]
    assert coverages == sorted(coverages)
    assert coverages[0] == pytest.approx(0.2, abs=0.01)
    assert coverages[-1] == pytest.approx(1.0)


def test_turning_photograph_and_region_together_changes_nothing():
    fraction = np.random.default_rng(1).random((SIZE, SIZE))
    region = disc(SIZE, 25, (50, 66))
    upright = measure(segmentation_of(fraction, SCALP), region, Grid(0, 0, 1, SIZE, SIZE), None)
    turned = measure(
        segmentation_of(np.rot90(fraction), np.rot90(SCALP)),
        np.rot90(region),
        Grid(0, 0, 1, SIZE, SIZE),
        None,
    )
    assert turned.coverage_fraction == pytest.approx(upright.coverage_fraction, abs=1e-9)


def test_scalp_seen_at_a_grazing_angle_and_glare_are_left_out():
    cosine = np.ones((SIZE, SIZE), np.float32)
    cosine[:, :40] = np.cos(np.deg2rad(61))
    cosine[:, 40:50] = np.cos(np.deg2rad(59))
    glare = np.zeros((SIZE, SIZE), bool)
    glare[60:70, 60:70] = True
    segmentation = segmentation_of(_striped(3), SCALP, cosine=cosine, glare=glare)
    region = scalp_region(segmentation, max_incidence_deg=60)
    assert not region[:, :40].any()
    assert region[60, 45]
    assert not region[60:70, 60:70].any()


def test_the_region_is_what_all_photographs_show():
    reference = segmentation_of(_striped(3), SCALP)
    hidden = segmentation_of(_striped(3), SCALP.copy())
    hidden.scalp[:, :50] = False
    hidden.classes[:, :50] = RegionClass.OBJECT
    region = co_visible_region(
        reference, [(Shift(), reference), (Shift(), hidden)], max_incidence_deg=60
    )
    assert not region[:, :50].any()
    assert region[60, 60]
    alone = co_visible_region(reference, [], max_incidence_deg=60)
    assert alone[60, 40]
    assert region.sum() < alone.sum() < SCALP.sum()


def test_the_region_keeps_away_from_the_outline():
    reference = segmentation_of(_striped(3), SCALP)
    region = co_visible_region(reference, [], max_incidence_deg=60)
    distance = signed_distance(SCALP)
    assert distance[region].min() > EDGE_MARGIN_PX - 0.6


def test_a_photograph_that_shows_too_little_gives_no_number():
    segmentation = segmentation_of(_striped(3), SCALP)
    region = disc(SIZE, 5)
    assert measure(segmentation, region, segmentation.grid, None) is None


def test_the_registration_component_is_the_spread_over_the_resampled_transforms():
    ramp = np.broadcast_to(np.linspace(0, 1, SIZE), (SIZE, SIZE))
    segmentation = segmentation_of(ramp, np.ones((SIZE, SIZE), bool), coverage_sd=0.01)
    region = disc(SIZE, 20)
    shifts = [Shift(dx) for dx in (-2.0, 0.0, 2.0)]
    measurement = measure(segmentation, region, segmentation.grid, shifts[1], resampled=shifts)
    assert measurement.registration_sd_fraction == pytest.approx(2 / (SIZE - 1), rel=0.03)
    assert measurement.segmentation_sd_fraction == 0.01
    still = replace(measurement, registration_sd_fraction=0)
    assert still.coverage_fraction == measurement.coverage_fraction


def test_doubt_is_the_mean_of_what_travels_with_the_region():
    ramp = np.broadcast_to(np.linspace(0, 0.2, SIZE), (SIZE, SIZE)).astype(np.float32)
    sure = segmentation_of(_striped(3), np.ones((SIZE, SIZE), bool))
    doubtful = replace(sure, doubt=ramp)
    region = disc(SIZE, 20)
    assert measure(sure, region, sure.grid, None).doubt_fraction == 0
    still = measure(doubtful, region, doubtful.grid, None)
    moved = measure(doubtful, region, doubtful.grid, Shift(10.0))
    assert still.doubt_fraction == pytest.approx(ramp[region].mean(), rel=1e-3)
    step = 0.2 / (SIZE - 1)
    assert moved.doubt_fraction - still.doubt_fraction == pytest.approx(10 * step, rel=0.01)


def test_the_excluded_share_counts_visible_scalp_outside_the_region():
    segmentation = segmentation_of(_striped(3), SCALP)
    half = SCALP.copy()
    half[:, 60:] = False
    measurement = measure(segmentation, half, segmentation.grid, None)
    assert measurement.excluded_fraction == pytest.approx(0.5, abs=0.01)
