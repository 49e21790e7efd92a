"""Warped pictures show the right thing, and their footprint is exact."""

from __future__ import annotations

import numpy as np

from scalptrack.records import Grid
from scalptrack.registration import HeadTransform, warp_to_reference
from scalptrack.registration.camera import Camera
from scalptrack.registration.surface import HeadShape
from scalptrack.registration.transform import HeadPose
from scalptrack.registration.warp import dense_map

CAMERA = Camera(700.0, 149.5, 119.5)
SHAPE = HeadShape((150.0, 120.0), (1 / 90, 0.0, 1 / 100), 1.0)
TRANSFORM = HeadTransform(CAMERA, CAMERA, SHAPE, HeadPose((0.1, 0.25, 0.1), (170.0, 110.0), 0.95))


def test_warped_picture_shows_where_each_pixel_came_from() -> None:
    y, x = np.mgrid[:240, :300]
    image = np.stack([x * 0.8, y, np.zeros_like(x)], axis=2).astype(np.uint8)
    warped, footprint = warp_to_reference(image, TRANSFORM, (240, 300))
    rows, columns = np.nonzero(footprint)
    exact = TRANSFORM.map_points(np.stack([columns, rows], axis=1).astype(float))
    steep = TRANSFORM.incidence_cosine(np.stack([columns, rows], axis=1).astype(float)) < 0.3
    assert np.abs(warped[rows, columns, 0] - exact[:, 0] * 0.8)[~steep].max() < 1.6
    assert np.abs(warped[rows, columns, 1] - exact[:, 1])[~steep].max() < 1.6
    assert not warped[~footprint].any()


def test_footprint_is_where_the_surface_is_visible_and_no_more() -> None:
    image = np.full((240, 300, 3), 200, np.uint8)
    _, footprint = warp_to_reference(image, TRANSFORM, (240, 300))
    grid = Grid(0.0, 0.0, 1.0, 300, 240)
    exact = np.isfinite(TRANSFORM.map_points(grid.photograph_points())[:, 0]).reshape(240, 300)
    assert np.array_equal(footprint, exact)


def test_part_of_the_moving_head_outside_its_picture_is_not_in_the_footprint() -> None:
    image = np.full((240, 180, 3), 200, np.uint8)
    _, footprint = warp_to_reference(image, TRANSFORM, (240, 300))
    mapped = dense_map(TRANSFORM, Grid(0.0, 0.0, 1.0, 300, 240))
    assert not footprint[mapped[..., 0] > 179].any()
    assert 0.1 < footprint.sum() / np.isfinite(mapped[..., 0]).sum() < 0.9


def test_dense_map_is_the_exact_map() -> None:
    grid = Grid(100.0, 80.0, 0.5, 90, 70)
    dense = dense_map(TRANSFORM, grid)
    exact = TRANSFORM.map_points(grid.photograph_points()).reshape(70, 90, 2)
    assert np.nanmax(np.abs(dense - exact)) < 0.02
