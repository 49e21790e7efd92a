"""Close-ups of one patch are aligned by their skin; other patches are refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import Registration, Tier
from scalptrack.registration import CloseUpFeatures, extract_close_up, register_close_ups
from scalptrack.registration.quadratic import QuadraticTransform

SHAPE = (360, 400)
TURN, SIZE = np.radians(7.0), 1.06
TRUTH = QuadraticTransform(
    SHAPE,
    SHAPE,
    (0.06, SIZE * np.cos(TURN), -SIZE * np.sin(TURN), 0.015, -0.01, 0.01),
    (-0.04, SIZE * np.sin(TURN), SIZE * np.cos(TURN), -0.01, 0.02, 0.015),
)


def _skin(seed: int) -> np.ndarray:
    """Mottled skin with spots, float32 (H, W), around 150."""
    rng = np.random.default_rng(seed)
    picture = np.full(SHAPE, 150.0, np.float32)
    for sigma, weight in ((1.5, 5.0), (4.0, 6.0), (10.0, 6.0)):
        noise = cv2.GaussianBlur(rng.normal(0, 1, SHAPE).astype(np.float32), (0, 0), sigma)
        picture += weight * noise / noise.std()
    for _ in range(60):
        centre = (int(rng.integers(SHAPE[1])), int(rng.integers(SHAPE[0])))
        cv2.circle(picture, centre, int(rng.integers(2, 6)), float(rng.uniform(90, 135)), -1)
    return picture


def _seen(skin: np.ndarray, seed: int, *, hairs: int = 0) -> np.ndarray:
    """A photograph of the patch: hair, light from one side, blur of the lens, noise."""
    rng = np.random.default_rng([seed, 1])
    picture = skin.copy()
    for _ in range(hairs):
        start = rng.uniform(0, SHAPE[1], 2)
        end = start + rng.normal(0, 60, 2)
        line = np.round(np.stack([start, end]) * 16).astype(np.int32)
        cv2.polylines(picture, [line], False, 40.0, 1, cv2.LINE_AA, 4)
    picture *= np.linspace(0.9, rng.uniform(1.0, 1.15), SHAPE[1], dtype=np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.6) + rng.normal(0, 2.0, SHAPE)
    grey = np.clip(picture, 0, 255)[..., None] * np.array([1.0, 0.8, 0.7])
    return grey.astype(np.uint8)


def _moved(skin: np.ndarray) -> np.ndarray:
    """The patch as the second photograph sees it: `TRUTH` maps the first to it."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    back = TRUTH.inverse_points(np.stack([x.ravel(), y.ravel()], axis=1))
    back = np.nan_to_num(back, nan=-1e4).reshape(*SHAPE, 2).astype(np.float32)
    return cv2.remap(
        skin, back[..., 0], back[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


@pytest.fixture(scope="module")
def reference() -> CloseUpFeatures:
    return extract_close_up(_seen(_skin(1), 1, hairs=25))


@pytest.fixture(scope="module")
def moving_image() -> np.ndarray:
    return _seen(_moved(_skin(1)), 2, hairs=25)


@pytest.fixture(scope="module")
def registered(reference: CloseUpFeatures, moving_image: np.ndarray) -> Registration:
    return register_close_ups(reference, extract_close_up(moving_image), seed=1)


def _gaps(transform: QuadraticTransform) -> np.ndarray:
    x, y = np.meshgrid(np.arange(20, 380, 40.0), np.arange(20, 340, 40.0))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    gaps = np.linalg.norm(transform.map_points(points) - TRUTH.map_points(points), axis=1)
    return gaps[np.isfinite(gaps)]


def test_a_known_bend_is_recovered_through_other_hair(registered: Registration) -> None:
    assert (registered.tier, registered.method, registered.reason) == (Tier.A, "close-up", None)
    gaps = _gaps(registered.transform)
    assert len(gaps) > 40
    assert np.median(gaps) < 0.4
    assert gaps.max() < 1.5
    assert 0.1 < registered.residual_px < 1.5
    assert all(gate.passed for gate in registered.gates)


def test_resampled_transforms_scatter_around_the_fit(registered: Registration) -> None:
    assert len(registered.resampled) == 12
    middle = np.array([[199.5, 179.5]])
    centre = registered.transform.map_points(middle)
    gaps = [np.linalg.norm(each.map_points(middle) - centre) for each in registered.resampled]
    assert 0.005 < np.mean(gaps) < 0.5


def test_the_same_seed_gives_the_same_transform(
    registered: Registration, reference: CloseUpFeatures, moving_image: np.ndarray
) -> None:
    again = register_close_ups(reference, extract_close_up(moving_image), seed=1)
    assert again.transform == registered.transform
    assert again.gates == registered.gates
    assert again.resampled == registered.resampled


def test_another_patch_is_refused(reference: CloseUpFeatures) -> None:
    other = extract_close_up(_seen(_skin(2), 3, hairs=25))
    result = register_close_ups(reference, other, seed=1)
    assert (result.tier, result.transform) == (Tier.C, None)
    assert result.reason.code == "no_agreement"


def test_a_mirrored_close_up_is_refused_and_named(
    reference: CloseUpFeatures, moving_image: np.ndarray
) -> None:
    flipped = extract_close_up(np.ascontiguousarray(moving_image[:, ::-1]))
    result = register_close_ups(reference, flipped, seed=1)
    assert (result.tier, result.reason.code) == (Tier.C, "mirrored")


def test_a_close_up_of_few_pixels_is_refused() -> None:
    with pytest.raises(HeadNotFoundError, match=r"a close-up of 300 x 180 pixels is too small"):
        extract_close_up(np.zeros((180, 300, 3), np.uint8))
