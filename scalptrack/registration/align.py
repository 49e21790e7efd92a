"""From the features of two photographs to a transform: search, guided matching, refinement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalptrack.records import FloatArray
from scalptrack.registration.features import HeadFeatures, Keypoints
from scalptrack.registration.matching import Matches, Pairing, joined, match_near
from scalptrack.registration.pose import outline_pose, prior_of, search_poses
from scalptrack.registration.refine import ALL, POSE, Fit, Prior, refine
from scalptrack.registration.transform import HeadTransform

SEARCH_FRACTION = 0.35
"""Reach of the first matching (share of the head's width): what 20 degrees of turn, 40 of roll or
a misplaced outline move the scalp by."""

GUIDED_FRACTIONS = (0.035, 0.018, 0.010)
"""Reach of the guided matchings, each around the pose of the one before."""

INLIER_FRACTION = 0.008
"""A match agrees with the pose when it lies this near (share of the head's width): three times
the scatter seen on genuine pairs (lab/benchmarks/registration.py)."""

VERIFIED, CLEAR_LEAD = 6, 2.5
"""How many first poses are tried out, unless the best has this many times the next's support."""

_GUIDED_SIMILARITY = 0.75
_CHANCE_DIRECTIONS = 8
_CHANCE_FRACTION = 0.07


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A refined pose with the matches that agree with it.

    Attributes
    ----------
    fit : Fit
        The refinement; its distances are those of `matches`.
    matches : Matches
        Guided matches.
    inliers : Matches
        Those within `INLIER_FRACTION`.
    chance : float
        How many would be expected to agree with a wrong pose, from displaced copies of this one.
    """

    fit: Fit
    matches: Matches
    inliers: Matches
    chance: float

    @property
    def transform(self) -> HeadTransform:
        """moving_from_reference."""
        return self.fit.transform


def pairings(reference: HeadFeatures, moving: HeadFeatures, *, with_hair: bool) -> list[Pairing]:
    """Descriptor similarities of the hair-suppressed features, and of the plain ones."""
    found = [Pairing.of(reference.skin, moving.skin)]
    if with_hair:
        found.append(Pairing.of(reference.fine, moving.fine))
    return found


def align(
    reference: HeadFeatures,
    moving: HeadFeatures,
    pairs: list[Pairing],
    rng: np.random.Generator,
) -> Alignment | None:
    """Best pose of the reference's head in the moving photograph; None when nothing agrees."""
    first = joined([_outline_matches(reference, moving, pair) for pair in pairs])
    found = search_poses(reference, moving, first, rng)
    if not found:
        return None
    return follow(moving, pairs, _verified(found, pairs, moving.head_width_px))


def _verified(found: list[tuple[float, Fit]], pairs: list[Pairing], width_px: float) -> Fit:
    """The pose around which most further matches are found.

    A few true matches can't be told from as many accidental ones; but around a true pose guided
    matching finds many more, around an accidental one it doesn't.
    """
    best, most = found[0][1], -1
    for rank, (agreement, fit) in enumerate(found[:VERIFIED]):
        if rank == 1 and found[0][0] > CLEAR_LEAD * max(agreement, 5.0):
            break
        polished = fit
        for fraction in (GUIDED_FRACTIONS[0], GUIDED_FRACTIONS[1]):
            matches = guided_matches(polished.transform, pairs, width_px, fraction)
            if len(matches) < 8:
                break
            polished = refine(
                fit.prior,
                matches.reference_points,
                matches.moving_points,
                active=POSE,
                start=polished.parameters,
                cut_px=1.2 * fraction * width_px,
                steps=3,
            )
        agreeing = int((polished.distances_px < INLIER_FRACTION * width_px).sum())
        if agreeing > most:
            best, most = polished, agreeing
    return best


def follow(moving: HeadFeatures, pairs: list[Pairing], found: Fit) -> Alignment | None:
    """Guided matching and refinement around a first pose."""
    width = moving.head_width_px
    transform, parameters, prior = found.transform, found.parameters, found.prior
    matches: Matches | None = None
    fit = found
    for step, fraction in enumerate(GUIDED_FRACTIONS):
        matches = guided_matches(transform, pairs, width, fraction)
        if len(matches) < 8:
            return None
        fit = refine(
            prior,
            matches.reference_points,
            matches.moving_points,
            active=POSE if step == 0 else ALL,
            start=parameters,
            cut_px=1.5 * fraction * width,
            steps=4 if step == 0 else 6,
        )
        transform, parameters = fit.transform, fit.parameters
    assert matches is not None
    near = fit.distances_px < INLIER_FRACTION * width
    chance = _chance(transform, pairs, width)
    return Alignment(fit, matches, matches.chosen(near), chance)


def guided_matches(
    transform: HeadTransform,
    pairs: list[Pairing],
    width_px: float,
    fraction: float,
    *,
    shift: FloatArray | None = None,
) -> Matches:
    """Matches within `fraction` of the head's width of where `transform` expects them."""
    parts = []
    for pair in pairs:
        predicted = transform.map_points(pair.reference.points)
        roll = _local_roll(transform, pair.reference, predicted)
        if shift is not None:
            predicted = predicted + shift
        parts.append(
            match_near(
                pair,
                predicted,
                radius_px=fraction * width_px,
                size_ratio=_size_ratio(transform),
                roll_rad=roll,
                roll_tolerance_rad=np.radians(25.0),
                min_similarity=_GUIDED_SIMILARITY,
                separation_px=0.008 * width_px,
            )
        )
    return joined(parts)


def _outline_matches(reference: HeadFeatures, moving: HeadFeatures, pair: Pairing) -> Matches:
    """Matches that the outlines allow."""
    shape, other = reference.outline.shape, moving.outline.shape
    ratio = other.width_px / shape.width_px
    predicted = (pair.reference.points - np.array(shape.centre_px)) * ratio + other.centre_px
    return match_near(
        pair,
        predicted,
        radius_px=SEARCH_FRACTION * other.width_px,
        size_ratio=ratio,
        roll_rad=0.0,
        roll_tolerance_rad=np.radians(50.0),
        min_similarity=0.8,
        separation_px=0.02 * other.width_px,
    )


def _size_ratio(transform: HeadTransform) -> float:
    """Size of the head's middle in the moving photograph over that in the reference."""
    focal = transform.moving_camera.focal_px / transform.reference_camera.focal_px
    return focal / transform.pose.distance


def _local_roll(
    transform: HeadTransform, keypoints: Keypoints, predicted: FloatArray
) -> FloatArray:
    """How far the picture turns (N,) around each feature, along its own orientation."""
    angles = keypoints.angles.astype(np.float64)
    step = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    length = 0.01 * transform.shape.width_px
    ahead = transform.map_points(keypoints.points + length * step) - predicted
    return np.asarray(np.arctan2(ahead[:, 1], ahead[:, 0]) - angles)


def _chance(transform: HeadTransform, pairs: list[Pairing], width_px: float) -> float:
    """Mean number of close matches when the prediction is displaced where nothing should agree."""
    counts = []
    for k in range(_CHANCE_DIRECTIONS):
        angle = 2.0 * np.pi * k / _CHANCE_DIRECTIONS
        shift = _CHANCE_FRACTION * width_px * np.array([np.cos(angle), np.sin(angle)])
        found = guided_matches(transform, pairs, width_px, INLIER_FRACTION, shift=shift)
        counts.append(len(found))
    return float(np.mean(counts))


def outline_only(reference: HeadFeatures, moving: HeadFeatures) -> Prior:
    """The prior around the pose that only the outlines suggest."""
    return prior_of(reference, moving, outline_pose(reference, moving))
