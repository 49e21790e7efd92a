"""The transform between close-ups: there and back, its frames, and what its terms mean."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scalptrack.registration.quadratic import QuadraticTransform

# A turn of 10 degrees, 1.1 times as large, shifted, and gently bent.
TURN, SIZE = np.radians(10.0), 1.1
TRANSFORM = QuadraticTransform(
    (300, 400),
    (360, 480),
    (0.05, SIZE * np.cos(TURN), -SIZE * np.sin(TURN), 0.02, -0.01, 0.015),
    (-0.03, SIZE * np.sin(TURN), SIZE * np.cos(TURN), -0.01, 0.03, 0.02),
)


def _points() -> np.ndarray:
    x, y = np.meshgrid(np.arange(80, 330, 25.0), np.arange(60, 250, 20.0))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def test_the_middle_goes_where_the_constant_terms_say() -> None:
    # Half the mean side of 360 x 480 is 210 pixels.
    (found,) = TRANSFORM.map_points(np.array([[199.5, 149.5]]))
    np.testing.assert_allclose(found, [239.5 + 0.05 * 210, 179.5 - 0.03 * 210], atol=1e-9)


def test_there_and_back_is_the_same_point() -> None:
    points = _points()
    there = TRANSFORM.map_points(points)
    seen = np.isfinite(there[:, 0])
    assert seen.mean() > 0.8
    np.testing.assert_allclose(TRANSFORM.inverse_points(there[seen]), points[seen], atol=1e-4)


def test_points_outside_either_frame_are_not_visible() -> None:
    outside = np.array([[-2.0, 100.0], [405.0, 100.0], [100.0, 302.0], [2.0, 2.0]])
    assert np.isnan(TRANSFORM.map_points(outside)).all()
    assert np.isnan(TRANSFORM.incidence_cosine(outside)).all()
    assert np.isnan(TRANSFORM.inverse_points(np.array([[-3.0, 100.0], [100.0, 365.0]]))).all()
    assert TRANSFORM.incidence_cosine(np.array([[200.0, 150.0]])).tolist() == [1.0]


def test_turn_size_and_bend_are_read_from_the_terms() -> None:
    assert TRANSFORM.rotation_deg == pytest.approx(10.0)
    assert np.exp(TRANSFORM.log_scale) == pytest.approx(1.1)
    assert TRANSFORM.log_stretch == pytest.approx(0.0, abs=1e-12)
    assert TRANSFORM.curvature == pytest.approx(0.03)
    flipped = QuadraticTransform(
        (300, 400), (300, 400), (0.0, -1.0, 0.0, 0, 0, 0), (0.0, 0.0, 1.0, 0, 0, 0)
    )
    assert flipped.log_scale == float("-inf")


def test_it_can_be_written_as_json() -> None:
    document = json.loads(json.dumps(TRANSFORM.as_dict()))
    assert document["type"] == "quadratic"
    assert document["x_terms"] == list(TRANSFORM.x_terms)
    assert document["moving_shape"] == [360, 480]
