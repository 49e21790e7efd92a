"""Known poses are recovered, and every kind of wrong pair is refused with its reason."""

from __future__ import annotations

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from scalptrack.records import Gate, Grid, Registration, Tier
from scalptrack.registration import (
    HeadFeatures,
    extract_features,
    identity,
    register,
    registering,
)
from scalptrack.registration.align import align
from scalptrack.registration.matching import mirrored_features
from scalptrack.registration.outline import fit_outline
from scalptrack.registration.registering import attempts, refused
from tests.registration.conftest import FOCAL_35MM, features_of, flipped
from tests.registration.synthetic import Rendered, Shot, Subject, render, true_points

SEED = 7


def _gate(result: Registration, name: str) -> float:
    return next(gate.value for gate in result.gates if gate.name == name)


def _tre_percent(result: Registration, reference: Rendered, moving: Rendered) -> np.ndarray:
    assert result.transform is not None
    here, there = true_points(reference, moving)
    gaps = np.linalg.norm(result.transform.map_points(here) - there, axis=1)
    width = fit_outline(reference.segmentation).shape.width_px
    return 100.0 * gaps[np.isfinite(gaps)] / width


@pytest.fixture(scope="module")
def registered(reference_features: HeadFeatures, moved_features: HeadFeatures) -> Registration:
    return register(reference_features, moved_features, seed=SEED)


def test_known_pose_is_recovered(
    registered: Registration, reference: Rendered, moved: Rendered
) -> None:
    assert registered.tier is Tier.A
    assert registered.reason is None
    errors = _tre_percent(registered, reference, moved)
    assert np.median(errors) < 0.2
    assert np.percentile(errors, 95) < 0.6
    turn = np.degrees(np.linalg.norm(registered.transform.pose.rotation))
    truth = np.degrees(np.linalg.norm(cv2.Rodrigues(_turn(moved))[0]))
    assert turn == pytest.approx(truth, abs=0.6)


def _turn(moving: Rendered) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("xyz", moving.shot.rotation_deg, degrees=True).as_matrix()


def test_hair_that_was_not_there_before_does_not_mislead(
    reference_features: HeadFeatures, reference: Rendered, hairy: Rendered
) -> None:
    result = register(reference_features, features_of(hairy), seed=SEED)
    assert result.tier is Tier.A
    assert np.median(_tre_percent(result, reference, hairy)) < 0.5


def test_resampled_transforms_scatter_around_the_fit(registered: Registration) -> None:
    assert len(registered.resampled) == 12
    points = np.array([[330.0, 250.0], [300.0, 300.0], [350.0, 220.0]])
    centre = registered.transform.map_points(points)
    gaps = [np.linalg.norm(t.map_points(points) - centre, axis=1) for t in registered.resampled]
    assert 0.01 < np.mean(gaps) < 2.0


def test_same_seed_gives_the_same_bytes_with_one_and_two_threads(
    registered: Registration,
    reference: Rendered,
    moved: Rendered,
) -> None:
    cv2.setNumThreads(2)
    try:
        again = register(features_of(reference), features_of(moved), seed=SEED)
    finally:
        cv2.setNumThreads(1)
    assert again.transform.as_dict() == registered.transform.as_dict()
    assert again.gates == registered.gates
    assert [t.as_dict() for t in again.resampled] == [t.as_dict() for t in registered.resampled]


def test_identical_photographs_give_the_identity(reference_features: HeadFeatures) -> None:
    result = register(reference_features, reference_features, seed=SEED)
    assert result.tier is Tier.A
    points = reference_features.skin.points.astype(np.float64)
    mapped = result.transform.map_points(points)
    seen = np.isfinite(mapped[:, 0])
    np.testing.assert_allclose(mapped[seen], points[seen], atol=1e-3)
    assert result.residual_px == pytest.approx(0.0, abs=1e-3)


def test_identity_maps_every_visible_point_to_itself(reference_features: HeadFeatures) -> None:
    points = reference_features.skin.points.astype(np.float64)
    mapped = identity(reference_features).map_points(points)
    seen = np.isfinite(mapped[:, 0])
    assert seen.mean() > 0.95
    np.testing.assert_allclose(mapped[seen], points[seen], atol=1e-6)


def test_another_person_before_the_same_wall_is_refused(
    reference_features: HeadFeatures, stranger: Rendered
) -> None:
    result = register(reference_features, features_of(stranger), seed=SEED)
    assert result.tier is Tier.C
    assert result.transform is None
    assert result.reason.code == "no_agreement"
    assert "same view of the same person" in result.reason.message
    failed = {gate.name for gate in result.gates if not gate.passed}
    assert "correlation" in failed


def test_another_view_is_refused(reference_features: HeadFeatures, other_view: Rendered) -> None:
    result = register(reference_features, features_of(other_view), seed=SEED)
    assert result.tier is Tier.C
    assert result.reason.code in {"no_agreement", "implausible_pose", "outline_mismatch"}


def test_mirrored_photograph_is_refused_and_named(
    reference_features: HeadFeatures, moved: Rendered
) -> None:
    image, segmentation = flipped(moved)
    features = extract_features(image, segmentation, focal_length_35mm=FOCAL_35MM)
    result = register(reference_features, features, seed=SEED)
    assert result.tier is Tier.C
    assert result.reason.code == "mirrored"
    assert "flipped left to right" in result.reason.message


def test_mirrored_is_named_also_beside_many_accidental_matches(
    reference_features: HeadFeatures, moved_features: HeadFeatures
) -> None:
    """As many points agree with a wrong pose of the picture as it is as with the flipped one."""
    right = next(attempts(reference_features, moved_features, seed=SEED))
    assert right.passed
    failed = Gate("correlation", 0.0, 0.2, passed=False)
    accidental = replace(right, gates=[*right.gates[:-2], failed])
    result = refused(reference_features, mirrored_features(moved_features), [accidental], seed=SEED)
    assert result.reason.code == "mirrored"


def test_a_weak_alignment_is_also_found_the_other_way_round(
    reference_features: HeadFeatures, moved_features: HeadFeatures, monkeypatch
) -> None:
    monkeypatch.setattr(registering, "SURE_INLIERS", 10**6)
    result = register(reference_features, moved_features, seed=SEED)
    assert result.tier is Tier.A
    assert 0 < _gate(result, "reverse_percent") < 0.5
    monkeypatch.setattr(registering, "SURE_INLIERS", 0)
    sure = register(reference_features, moved_features, seed=SEED)
    assert "reverse_percent" not in {gate.name for gate in sure.gates}
    assert result.inliers > 1.2 * sure.inliers  # The picture as it is was tried too.


def test_it_is_refused_where_the_way_back_leads_elsewhere(
    reference_features: HeadFeatures, moved_features: HeadFeatures, monkeypatch
) -> None:
    shift_percent = 3.0
    kept = 1.0

    def elsewhere(first: HeadFeatures, second: HeadFeatures, pairs, rng):
        found = align(first, second, pairs, rng)
        if first is reference_features:
            return found
        pose = found.fit.transform.pose
        away = 0.01 * shift_percent * second.head_width_px
        moved_pose = replace(pose, centre_px=(pose.centre_px[0] + away, pose.centre_px[1]))
        transform = replace(found.fit.transform, pose=moved_pose)
        agreeing = np.arange(len(found.inliers)) < kept * len(found.inliers)
        fit = replace(found.fit, transform=transform)
        return replace(found, fit=fit, inliers=found.inliers.chosen(agreeing))

    monkeypatch.setattr(registering, "SURE_INLIERS", 10**6)
    monkeypatch.setattr(registering, "align", elsewhere)
    result = register(reference_features, moved_features, seed=SEED)
    assert result.tier is Tier.C
    assert result.reason.code == "unstable"
    assert "the other way round" in result.reason.message
    # The scalp lies before the head's centre, and moves further in the picture.
    assert shift_percent < _gate(result, "reverse_percent") < 1.4 * shift_percent
    kept = 0.3  # So few points contradict nothing: it is the way back that failed.
    assert register(reference_features, moved_features, seed=SEED).tier is Tier.A


def test_mirrored_features_are_those_of_the_mirrored_photograph(moved: Rendered) -> None:
    image, segmentation = flipped(moved)
    seen = extract_features(image, segmentation, focal_length_35mm=FOCAL_35MM)
    derived = mirrored_features(features_of(moved))
    assert derived.outline.shape.centre_px == pytest.approx(seen.outline.shape.centre_px, abs=1.0)
    gap = np.linalg.norm(seen.skin.points[:, None] - derived.skin.points[None], axis=2)
    nearest = gap.argmin(axis=1)
    close = gap[np.arange(len(gap)), nearest] < 0.7
    assert close.mean() > 0.7
    alike = np.einsum("ij,ij->i", seen.skin.descriptors, derived.skin.descriptors[nearest])
    turn = seen.skin.angles - derived.skin.angles[nearest]
    same = close & (np.abs((turn + np.pi) % (2 * np.pi) - np.pi) < 0.1)
    assert np.median(alike[same]) > 0.97


def test_hair_all_over_is_refused_as_such(reference_features: HeadFeatures) -> None:
    covered = render(Subject(3), Shot(hairs=6000, hair_seed=2, hair_length=0.5, noise_seed=5))
    result = register(reference_features, features_of(covered), seed=SEED)
    assert result.tier is Tier.C
    assert result.reason.code == "hair_covers_scalp"


def test_head_cut_off_by_the_frame_is_refused_as_such(
    reference_features: HeadFeatures, moved: Rendered
) -> None:
    # Keep the upper left quarter of the photograph: most of the border is the picture's edge.
    height, width = moved.image.shape[:2]
    rows, columns = int(0.45 * height), int(0.5 * width)
    whole = moved.segmentation
    arrays = ("hair_fraction", "classes", "scalp", "incidence_cosine", "glare")
    part = replace(
        whole,
        grid=Grid(0.0, 0.0, 1.0, columns, rows),
        photograph_shape=(rows, columns),
        **{name: getattr(whole, name)[:rows, :columns].copy() for name in arrays},
    )
    image = moved.image[:rows, :columns].copy()
    features = extract_features(image, part, focal_length_35mm=FOCAL_35MM)
    result = register(reference_features, features, seed=SEED)
    assert result.tier is Tier.C
    assert result.reason.code == "head_cut_off"


def test_unknown_focal_length_is_estimated_well_enough(
    reference: Rendered, moved: Rendered
) -> None:
    unknown = [
        extract_features(shot.image, shot.segmentation, focal_length_35mm=None)
        for shot in (reference, moved)
    ]
    result = register(unknown[0], unknown[1], seed=SEED)
    assert result.tier is Tier.A
    assert np.median(_tre_percent(result, reference, moved)) < 0.5


def test_features_can_be_stored(reference_features: HeadFeatures) -> None:
    again = pickle.loads(pickle.dumps(reference_features))
    np.testing.assert_array_equal(again.skin.descriptors, reference_features.skin.descriptors)
    assert again.outline == reference_features.outline
