"""The closed forms: there and back, what is not visible, and the round trip through JSON."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalptrack.registration import HeadTransform
from scalptrack.registration.camera import Camera
from scalptrack.registration.surface import HeadShape
from scalptrack.registration.transform import HeadPose

CAMERA = Camera(1500.0, 599.5, 449.5)
ANGLE = st.floats(-0.4, 0.4)


def _shape(*, bumpy: bool) -> HeadShape:
    corrections = np.random.default_rng(1).normal(0.0, 0.012, 9) if bumpy else np.zeros(9)
    outline = (1 / 280, 0.0003, 1 / 330)
    values = tuple(float(c) for c in corrections)
    return HeadShape((560.0, 430.0), outline, 1.1, (0.1, -0.05), values)


def _transform(rotation: tuple[float, float, float], *, bumpy: bool = True) -> HeadTransform:
    pose = HeadPose(rotation, (600.0, 470.0), 1.1)
    return HeadTransform(CAMERA, Camera(1400.0, 599.5, 449.5), _shape(bumpy=bumpy), pose)


def _points(count: int = 400) -> np.ndarray:
    return np.random.default_rng(0).uniform((400, 250), (720, 620), (count, 2))


@settings(max_examples=25, deadline=None)
@given(ANGLE, ANGLE, ANGLE)
def test_inverse_returns_to_the_reference(rx: float, ry: float, rz: float) -> None:
    transform = _transform((rx, ry, rz))
    mapped = transform.map_points(_points())
    steep = transform.incidence_cosine(_points()) < 0.15
    back = transform.inverse_points(mapped)
    kept = np.isfinite(mapped[:, 0]) & ~steep
    assert kept.mean() > 0.5
    np.testing.assert_allclose(back[kept], _points()[kept], atol=1e-5)


def test_identity_changes_nothing() -> None:
    transform = HeadTransform.identity(CAMERA, _shape(bumpy=True))
    np.testing.assert_allclose(transform.map_points(_points()), _points(), atol=1e-9)


def test_sphere_is_seen_as_geometry_says() -> None:
    # A sphere of radius r px at the centre: the outline's rays touch it, the middle faces us.
    camera = Camera(1000.0, 0.0, 0.0)
    shape = HeadShape((0.0, 0.0), (1 / 250, 0.0, 1 / 250), 1.0)
    transform = HeadTransform.identity(camera, shape)
    cosine = transform.incidence_cosine(np.array([[0.0, 0.0], [249.9, 0.0], [250.1, 0.0]]))
    assert cosine[0] == pytest.approx(1.0, abs=1e-12)
    assert np.isnan(cosine[2])
    assert cosine[1] == pytest.approx(0.027, abs=0.01)


def test_surface_that_turns_away_is_nan_in_both_directions() -> None:
    transform = _transform((0.0, 0.7, 0.0), bumpy=False)
    line = np.stack([np.linspace(300, 820, 60), np.full(60, 430.0)], axis=1)
    mapped = transform.map_points(line)
    visible = np.isfinite(mapped[:, 0])
    assert 0.3 < visible.mean() < 0.9
    assert np.array_equal(visible, np.isfinite(transform.incidence_cosine(line)))
    moving = np.stack([np.linspace(300, 900, 60), np.full(60, 470.0)], axis=1)
    assert 0.3 < np.isfinite(transform.inverse_points(moving)[:, 0]).mean() < 0.9


def test_rotating_a_sphere_by_an_angle_moves_its_pole_by_that_angle() -> None:
    camera = Camera(1000.0, 0.0, 0.0)
    shape = HeadShape((0.0, 0.0), (1 / 250, 0.0, 1 / 250), 1.0)
    angle = 0.2
    transform = HeadTransform(camera, camera, shape, HeadPose((0.0, angle, 0.0), (0.0, 0.0), 1.0))
    radius = 0.25 / np.sqrt(1.0 + 0.25**2)
    expected = 1000.0 * radius * -np.sin(angle) / (1.0 - radius * np.cos(angle))
    np.testing.assert_allclose(transform.map_points(np.zeros((1, 2))), [[expected, 0.0]], atol=1e-9)


def test_round_trip_through_json_and_pickle() -> None:
    transform = _transform((0.1, -0.2, 0.3))
    again = HeadTransform.from_dict(json.loads(json.dumps(transform.as_dict())))
    assert again == transform
    np.testing.assert_array_equal(again.map_points(_points()), transform.map_points(_points()))
    assert pickle.loads(pickle.dumps(transform)) == transform


def test_another_type_of_transform_is_named() -> None:
    with pytest.raises(ValueError, match="transform type is 'planar'; expected 'head'"):
        HeadTransform.from_dict({"type": "planar"})
