"""Rendered once for all registration tests: a person, the same person again, and others."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scalptrack.records import Segmentation
from scalptrack.registration import HeadFeatures, extract_features
from tests.registration.synthetic import Rendered, Shot, Subject, render

FOCAL_35MM = 50.0


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    cv2.setNumThreads(1)


def features_of(rendered: Rendered) -> HeadFeatures:
    return extract_features(
        rendered.image, rendered.segmentation, focal_length_35mm=rendered.shot.focal_35mm
    )


def flipped(rendered: Rendered) -> tuple[np.ndarray, Segmentation]:
    """The photograph and its segmentation, mirrored left to right."""
    arrays = ("hair_fraction", "classes", "scalp", "incidence_cosine", "glare")
    segmentation = rendered.segmentation
    mirrored = {name: getattr(segmentation, name)[:, ::-1].copy() for name in arrays}
    return rendered.image[:, ::-1].copy(), replace(segmentation, **mirrored)


@pytest.fixture(scope="session")
def reference() -> Rendered:
    return render(Subject(3), Shot(background_contrast=40.0))


@pytest.fixture(scope="session")
def moved() -> Rendered:
    """The same head 10 degrees on, other light, other background."""
    return render(
        Subject(3),
        Shot(
            rotation_deg=(6.0, -5.0, 6.0),
            shift=(0.12, 0.08),
            light=(-0.5, 0.2, 1.0),
            background_seed=1,
            noise_seed=2,
        ),
    )


@pytest.fixture(scope="session")
def hairy() -> Rendered:
    """The same head with hair that the reference doesn't have."""
    return render(
        Subject(3),
        Shot(rotation_deg=(4.0, -3.0, 3.0), hairs=700, hair_seed=1, noise_seed=2),
    )


@pytest.fixture(scope="session")
def stranger() -> Rendered:
    """Another person before the reference's own background."""
    return render(Subject(4), Shot(background_contrast=40.0, noise_seed=3))


@pytest.fixture(scope="session")
def other_view() -> Rendered:
    return render(Subject(3), Shot(rotation_deg=(65.0, 0.0, 0.0), noise_seed=4))


@pytest.fixture(scope="session")
def reference_features(reference: Rendered) -> HeadFeatures:
    return features_of(reference)


@pytest.fixture(scope="session")
def moved_features(moved: Rendered) -> HeadFeatures:
    return features_of(moved)
