"""A photograph that only matches its neighbour, aligned through it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scalptrack.records import Registration, Tier
from scalptrack.registration import HeadTransform, chain
from scalptrack.registration.camera import Camera
from scalptrack.registration.surface import HeadShape
from scalptrack.registration.transform import HeadPose

CAMERA = Camera(focal_px=1200.0, cx=299.5, cy=399.5)
SHAPE = HeadShape(centre_px=(300.0, 400.0), outline=(1 / 200, 0.0, 1 / 240), depth=1.0)


def _registration(rotation: tuple[float, float, float]) -> Registration:
    pose = HeadPose(rotation, (300.0, 400.0), 1.0)
    transform = HeadTransform(CAMERA, CAMERA, SHAPE, pose)
    return Registration(Tier.A, transform, (transform, transform), 1.5, 90, 0.9, ())


def test_a_chain_maps_as_both_links_one_after_the_other():
    first, second = _registration((0.0, 0.05, 0.0)), _registration((0.03, 0.0, 0.02))
    chained = chain(first, second)
    points = np.array([[300.0, 400.0], [250.0, 430.0], [340.0, 350.0]])
    between = first.transform.map_points(points)
    np.testing.assert_allclose(
        chained.transform.map_points(points), second.transform.map_points(between)
    )
    back = chained.transform.inverse_points(chained.transform.map_points(points))
    np.testing.assert_allclose(back, points, atol=0.5)
    assert chained.registered
    assert len(chained.resampled) == 2


def test_a_chain_keeps_the_error_of_both_links():
    chained = chain(_registration((0.0, 0.05, 0.0)), _registration((0.03, 0.0, 0.0)))
    assert chained.residual_px == pytest.approx(1.5 * 2**0.5)
    assert chained.overlap == pytest.approx(0.81)


def test_points_off_the_head_stay_unknown():
    chained = chain(_registration((0.0, 0.05, 0.0)), _registration((0.03, 0.0, 0.0)))
    outside = np.array([[5.0, 5.0], [300.0, 400.0]])
    assert np.isnan(chained.transform.map_points(outside)[0]).all()
    assert np.isnan(chained.transform.incidence_cosine(outside)[0])
    assert chained.transform.incidence_cosine(outside)[1] > 0.9


def test_a_refused_link_makes_no_chain():
    good = _registration((0.0, 0.05, 0.0))
    refused = replace(good, tier=Tier.C, transform=None)
    assert chain(good, refused) is None
    assert chain(refused, good) is None
    assert chain(chain(good, good), good) is None
