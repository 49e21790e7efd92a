"""Alignment by points that a person set: what it recovers, and the nonsense that it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from scalptrack.records import Tier
from scalptrack.registration import HeadFeatures, register_by_hand
from tests.registration.synthetic import Rendered, true_points


def _errors_percent(result, reference: Rendered, moving: Rendered, features: HeadFeatures):
    here, there = true_points(reference, moving)
    gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
    return 100.0 * gaps[np.isfinite(gaps)] / features.head_width_px


def test_points_of_a_careful_hand_align_with_tier_b(
    reference, moved, reference_features, moved_features
):
    here, there = true_points(reference, moved, count=7, seed=3)
    noise = np.random.default_rng(1).normal(0.0, 0.007 * moved_features.head_width_px, there.shape)
    result = register_by_hand(reference_features, moved_features, here, there + noise)
    assert (result.tier, result.method, result.inliers) == (Tier.B, "points", 7)
    assert 6 <= len(result.resampled) <= 12
    error = np.median(_errors_percent(result, reference, moved, moved_features))
    assert 0.05 < error < 2.0
    names = {gate.name for gate in result.gates}
    assert {"reference_point_spread", "moving_point_spread", "overlap", "outline_overlap"} <= names


def test_four_pairs_are_said_to_be_as_uncertain_as_they_are(
    reference, moved, reference_features, moved_features
):
    targets, true = true_points(reference, moved, count=200, seed=5)
    errors, scatters = [], []
    for seed in (1, 2, 3, 4, 5, 6):
        here, there = true_points(reference, moved, count=4, seed=seed + 20)
        noise = np.random.default_rng(seed).normal(0, 0.007, there.shape)
        after = there + noise * moved_features.head_width_px
        result = register_by_hand(reference_features, moved_features, here, after, resamples=8)
        if result.transform is None:
            continue
        mapped = result.transform.map_points(targets)
        others = np.stack([each.map_points(targets) for each in result.resampled])
        errors.append(np.nanmedian(np.linalg.norm(mapped - true, axis=1)))
        scatters.append(np.nanmedian(np.linalg.norm(others - mapped, axis=2)))
    assert len(errors) >= 3
    assert 0.5 < np.median(scatters) / np.median(errors) < 3.0


@pytest.mark.parametrize("kind", ["one spot", "one line"])
def test_points_in_one_place_are_refused(reference_features, kind):
    centre = np.array(reference_features.outline.shape.centre_px)
    steps = np.linspace(-1, 1, 6)[:, None] * reference_features.head_width_px
    spots = np.hstack([0.01 * steps, 0.01 * np.abs(steps)])
    line = np.hstack([0.2 * steps, 0.0 * steps])
    points = centre + (spots if kind == "one spot" else line)
    result = register_by_hand(reference_features, reference_features, points, points)
    assert (result.tier, result.transform, result.method) == (Tier.C, None, "points")
    assert result.reason.code == "points_too_close"
    assert result.reason.message.startswith(
        "could not be aligned with the baseline: the points set by hand lie too close together, or "
        "on one line (they spread over "
    )


def test_pairs_in_the_wrong_order_are_refused(reference, moved, reference_features, moved_features):
    here, there = true_points(reference, moved, count=6, seed=3)
    for shift in (1, 2, 3):
        wrong = np.roll(there, shift, axis=0)
        result = register_by_hand(reference_features, moved_features, here, wrong)
        assert result.tier is Tier.C, shift
        assert result.transform is None


def test_points_beside_the_head_are_refused(reference_features):
    away = np.array([[2.0, 2.0], [30.0, 2.0], [2.0, 30.0], [30.0, 30.0]])
    result = register_by_hand(reference_features, reference_features, away, away)
    assert result.reason.code == "too_few_points"
