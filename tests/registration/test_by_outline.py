"""Alignment by the outline: how near it comes, when it is offered, and what it can't tell apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scalptrack.records import Gate, Reason, Registration, Tier
from scalptrack.registration import HeadFeatures, register_by_outline
from scalptrack.registration.by_outline import TURN_SD_DEG, fit_by_outline, turned
from scalptrack.registration.outline import fit_outline
from tests.registration.conftest import features_of
from tests.registration.synthetic import Rendered, Shot, Subject, render, true_points

REFUSED = Registration(
    Tier.C, None, (), float("nan"), 3, 0.0, (), Reason("hair_covers_scalp", "Hair.")
)


@pytest.fixture(scope="module")
def aside() -> Rendered:
    """The reference's head farther away and aside: what an outline shows."""
    return render(Subject(3), Shot(distance=5.2, shift=(0.15, -0.05), noise_seed=6))


def _errors_percent(transform, reference: Rendered, moving: Rendered) -> np.ndarray:
    here, there = true_points(reference, moving)
    gaps = np.linalg.norm(transform.map_points(here) - there, axis=1)
    return 100.0 * gaps[np.isfinite(gaps)] / fit_outline(moving.segmentation).shape.width_px


def test_place_and_size_follow_from_the_outline(
    reference: Rendered, reference_features: HeadFeatures, aside: Rendered
) -> None:
    result = register_by_outline(reference_features, features_of(aside), REFUSED, seed=1)
    assert (result.tier, result.method, result.reason) == (Tier.B, "outline", None)
    assert result.registered
    errors = _errors_percent(result.transform, reference, aside)
    assert np.median(errors) < 1.5
    assert np.percentile(errors, 95) < 3.0
    assert result.transform.pose.distance == pytest.approx(5.2 / 4.7, rel=0.02)


def test_a_turn_is_missed_by_no_more_than_the_resampled_poses_allow(
    reference: Rendered, reference_features: HeadFeatures, moved: Rendered
) -> None:
    result = register_by_outline(reference_features, features_of(moved), REFUSED, seed=1)
    assert result.tier is Tier.B
    errors = _errors_percent(result.transform, reference, moved)
    assert 1.0 < np.median(errors) < 9.0
    middle = np.array([reference_features.outline.shape.centre_px])
    spread = [
        np.linalg.norm(each.map_points(middle) - result.transform.map_points(middle))
        for each in result.resampled
    ]
    rms = 100.0 * np.sqrt(np.mean(np.square(spread))) / reference_features.head_width_px
    assert 3.0 < rms < 10.0


def test_resampled_poses_are_turned_as_far_as_two_photographs_differ(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    transform = fit_by_outline(reference_features, moved_features)
    found = turned(transform, np.random.default_rng(0), 400)
    turns = [each.pose.matrix @ transform.pose.matrix.T for each in found]
    angles = [np.degrees(np.arccos((np.trace(turn) - 1.0) / 2.0)) for turn in turns]
    assert np.sqrt(np.mean(np.square(angles))) == pytest.approx(np.sqrt(3) * TURN_SD_DEG, rel=0.06)


def test_it_is_offered_only_where_hair_was_the_reason(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    for code in ("no_agreement", "mirrored", "implausible_pose", "head_cut_off"):
        refused = replace(REFUSED, reason=Reason(code, "No."))
        assert register_by_outline(reference_features, moved_features, refused, seed=1) is refused


def test_scalps_of_another_form_are_refused_with_the_gates_of_both_attempts(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    scalp = moved_features.scalp.copy()
    scalp[: scalp.shape[0] // 3] = False
    other = replace(moved_features, scalp=scalp)
    first = replace(REFUSED, gates=(Gate("inliers", 3.0, 40.0, passed=False),))
    result = register_by_outline(reference_features, other, first, seed=1)
    assert (result.tier, result.transform, result.reason) == (Tier.C, None, REFUSED.reason)
    failed = [gate.name for gate in result.gates if not gate.passed]
    assert failed == ["inliers", "outline_agreement"]


def test_another_person_passes_which_is_why_it_must_be_asked_for(
    reference_features: HeadFeatures, stranger: Rendered
) -> None:
    result = register_by_outline(reference_features, features_of(stranger), REFUSED, seed=1)
    assert result.tier is Tier.B


def test_the_same_seed_gives_the_same_poses(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    first, again, other = (
        register_by_outline(reference_features, moved_features, REFUSED, seed=seed)
        for seed in (1, 1, 2)
    )
    assert [t.as_dict() for t in first.resampled] == [t.as_dict() for t in again.resampled]
    assert [t.as_dict() for t in first.resampled] != [t.as_dict() for t in other.resampled]
