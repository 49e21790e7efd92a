"""The first pose: hypotheses from pairs of matches, scored by how many matches agree [1]_.

Two points on a head-shaped surface whose outline is known in both photographs determine its
rotation; three would be needed without the outline. That keeps the search short when hair has
left only few good matches.

References
----------
.. [1] O. Chum, J. Matas, J. Kittler, "Locally optimized RANSAC", DAGM 2003,
   doi:10.1007/978-3-540-45243-0_31.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from scalptrack.records import BoolArray, FloatArray
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.matching import Matches
from scalptrack.registration.refine import POSE, Fit, Prior, refine
from scalptrack.registration.surface import HeadSurface
from scalptrack.registration.transform import HeadPose, HeadTransform

HYPOTHESES = 1500
COARSE_FRACTION = 0.04
"""Tolerance of a hypothesis (share of the head's width): the outlines' error, mostly."""

OPTIMISED = 10
"""Hypotheses that are optimised locally."""

MAX_SEARCH_DEG = 50.0
"""Rotations beyond this are not tried: that is another view."""


def outline_pose(reference: HeadFeatures, moving: HeadFeatures) -> HeadTransform:
    """The transform that only makes the two outlines agree in place and size."""
    shape = reference.outline.shape
    near = HeadSurface(shape, reference.camera).radius
    far = HeadSurface(moving.outline.shape, moving.camera).radius
    pose = HeadPose((0.0, 0.0, 0.0), moving.outline.shape.centre_px, near / far)
    return HeadTransform(reference.camera, moving.camera, shape, pose)


def prior_of(reference: HeadFeatures, moving: HeadFeatures, start: HeadTransform) -> Prior:
    """The refinement's prior around `start`."""
    # A short arc, or one that the edge of the photograph cuts, says less about the ellipse.
    outlines = (reference.outline, moving.outline)
    doubt = max((1.0 + 5.0 * o.cut_fraction) / max(o.arc_fraction, 0.2) ** 2 for o in outlines)
    return Prior(start, moving.outline.shape, doubt, reference.focal_known, moving.focal_known)


def search_poses(
    reference: HeadFeatures, moving: HeadFeatures, matches: Matches, rng: np.random.Generator
) -> list[tuple[float, Fit]]:
    """Poses that a part of the matches agrees with, the best first, each with its agreement.

    Parameters
    ----------
    matches : Matches
        May be mostly wrong.
    rng : numpy.random.Generator
        Which pairs are tried.
    """
    start = outline_pose(reference, moving)
    before, seen = _on_ellipsoid(reference, matches.reference_points)
    after, also = _on_ellipsoid(moving, matches.moving_points)
    usable = np.flatnonzero(seen & also)
    if len(usable) < 4:
        return []
    matches, before, after = matches.chosen(usable), before[usable], after[usable]
    rotations = _pair_rotations(before, after, rng)
    if not len(rotations):
        return []
    scores = _scores(rotations, before, matches.moving_points, start, moving.head_width_px)
    found = []
    for index in _distinct_best(rotations, scores):
        fit = _optimise(reference, moving, start, rotations[index], matches)
        agreement = _agreement(fit.distances_px, 0.012 * moving.head_width_px)
        found.append((agreement, fit))
    return sorted(found, key=lambda pair: -pair[0])


def _on_ellipsoid(features: HeadFeatures, points: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Positions (N, 3) of pixels on the outline's ellipsoid from its centre, in mean radii."""
    surface = HeadSurface(features.outline.shape, features.camera)
    positions, _, hit = surface.intersect(np.zeros(3), features.camera.rays(points))
    return (positions - surface.centre) / surface.radius, hit


def _pair_rotations(
    before: FloatArray, after: FloatArray, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rotations (K, 3, 3) that carry random pairs of positions onto their partners."""
    first = rng.integers(0, len(before), 8 * HYPOTHESES)
    second = rng.integers(0, len(before), 8 * HYPOTHESES)
    length = np.linalg.norm(before[first] - before[second], axis=1)
    other = np.linalg.norm(after[first] - after[second], axis=1)
    rigid = (length > 0.25) & (np.abs(length - other) < 0.12 * length + 0.03)
    first, second = first[rigid][: 3 * HYPOTHESES], second[rigid][: 3 * HYPOTHESES]
    rotations = _frames(after[first], after[second]) @ np.swapaxes(
        _frames(before[first], before[second]), 1, 2
    )
    cosine = (np.trace(rotations, axis1=1, axis2=2) - 1.0) / 2.0
    return np.asarray(rotations[cosine > np.cos(np.radians(MAX_SEARCH_DEG))][:HYPOTHESES])


def _frames(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    """Orthonormal frames (K, 3, 3) tied to pairs of positions."""
    x = first + second
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    z = np.cross(first, second)
    z = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
    return np.stack([x, np.cross(z, x), z], axis=2)


def _scores(
    rotations: NDArray[np.float64],
    before: FloatArray,
    moving_points: FloatArray,
    start: HeadTransform,
    width_px: float,
) -> FloatArray:
    """How many matches agree with each hypothesis, (K,), near ones counting more."""
    camera = start.moving_camera
    centre = start.pose.centre(camera)
    radius = HeadSurface(start.shape, start.reference_camera).radius
    scores = np.empty(len(rotations))
    for low in range(0, len(rotations), 250):
        part = slice(low, low + 250)
        turned = np.einsum("kij,nj->kni", rotations[part], before) * radius + centre
        gap = np.linalg.norm(camera.project(turned) - moving_points, axis=2)
        scores[part] = np.maximum(0.0, 1.0 - (gap / (COARSE_FRACTION * width_px)) ** 2).sum(axis=1)
    return scores


def _distinct_best(rotations: NDArray[np.float64], scores: FloatArray) -> list[int]:
    """The best hypotheses that differ by more than 4 degrees."""
    chosen: list[int] = []
    for index in np.argsort(-scores, kind="stable")[: 20 * OPTIMISED]:
        turn = np.einsum("kij,ij->k", rotations[chosen], rotations[index])
        if not np.any((turn - 1.0) / 2.0 > np.cos(np.radians(4.0))):
            chosen.append(int(index))
        if len(chosen) == OPTIMISED:
            break
    return chosen


def _optimise(
    reference: HeadFeatures,
    moving: HeadFeatures,
    start: HeadTransform,
    rotation: NDArray[np.float64],
    matches: Matches,
) -> Fit:
    vector = Rotation.from_matrix(rotation).as_rotvec()
    turned = HeadPose(
        (float(vector[0]), float(vector[1]), float(vector[2])),
        start.pose.centre_px,
        start.pose.distance,
    )
    hypothesis = HeadTransform(start.reference_camera, start.moving_camera, start.shape, turned)
    prior = prior_of(reference, moving, hypothesis)
    width = moving.head_width_px
    fit: Fit | None = None
    for cut in (1.25 * COARSE_FRACTION, 0.025, 0.015):
        fit = refine(
            prior,
            matches.reference_points,
            matches.moving_points,
            active=POSE,
            start=None if fit is None else fit.parameters,
            cut_px=cut * width,
            steps=3,
        )
    assert fit is not None
    return fit


def _agreement(distances_px: FloatArray, tolerance_px: float) -> float:
    return float(np.maximum(0.0, 1.0 - (distances_px / tolerance_px) ** 2).sum())
