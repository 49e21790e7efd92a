"""Two photographs aligned by the outline of the head and the border of the scalp alone.

Where dense hair lies differently on each photograph nothing of the scalp can be matched. What
moves with the skull is then the outline of the head and the scalp's border with forehead, temples
and ears. They say where the head is and how large; how far it is turned they say in part where that
border is seen (frontal views) and not at all from above. And they look alike on
other people: this is never used unless it was asked for.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from scalptrack.records import FloatArray, Gate, Registration, Tier
from scalptrack.registration.align import outline_only
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import (
    MIN_OVERLAP,
    at_least,
    at_most,
    outline_overlap,
    scalp_overlap,
)
from scalptrack.registration.refine import Prior
from scalptrack.registration.transform import HeadPose, HeadTransform

# Origin of the numbers below: lab/benchmarks/outline.py, see docs/registration.md.
TURN_SD_DEG = 5.0
"""How far two photographs of one view differ in each axis of the head's rotation (standard
deviation): rotations to expect, and the uncertainty of those that the outline doesn't show."""

MIN_OUTLINE_AGREEMENT = 0.90
MIN_ARC_FRACTION = 0.5
MAX_SCATTER = 0.02
MAX_CUT_FRACTION = 0.10
MAX_SHAPE_DIFFERENCE = 0.12

_HAIRLINE_INSIDE = 0.94
"""Border of the scalp nearer to the centre than this share of the outline's radius is the border
with other skin, not the rim of the head."""

_HAIRLINE_SD = 0.015
"""Scatter of that border (share of the head's width): hair combed over it and the segmentation."""

_MIN_HAIRLINE_LENGTH = 0.5
"""Length of that border (head widths) from which it is used: a short piece of it near the rim fits
at many turns, and drew a head that was only rolled 11 degrees aside."""

_EVERY = 3
_EFFECTIVE_POINTS = 15.0
"""Neighbouring points of a border err together: all of them count as so many."""


def register_by_outline(
    reference: HeadFeatures,
    moving: HeadFeatures,
    refused: Registration,
    *,
    seed: int,
    resamples: int = 12,
) -> Registration:
    """Align by outline and scalp border what features could not align because of hair.

    Another person with the same look passes as well, and so does a mirrored photograph: only a
    person who knows whose photographs these are may ask for this.

    Parameters
    ----------
    reference, moving : HeadFeatures
        From `extract_features`.
    refused : Registration
        What `register` said of the pair.
    seed : int
        Of the resampled transforms.
    resamples : int
        Number of poses that the outlines allow as well.

    Returns
    -------
    Registration
        Tier B with ``method`` ``"outline"``, or `refused` with the gates of this attempt added.
    """
    if refused.reason is None or refused.reason.code != "hair_covers_scalp":
        return refused
    transform = fit_by_outline(reference, moving)
    gates = outline_gates(reference, moving, transform)
    everything = (*refused.gates, *gates)
    if not all(gate.passed for gate in gates):
        return replace(refused, gates=everything)
    rng = np.random.default_rng([seed, 4])
    return Registration(
        tier=Tier.B,
        transform=transform,
        resampled=turned(transform, rng, resamples),
        residual_px=float("nan"),
        inliers=0,
        overlap=scalp_overlap(reference, moving, transform),
        gates=everything,
        method="outline",
    )


def outline_gates(
    reference: HeadFeatures, moving: HeadFeatures, transform: HeadTransform
) -> list[Gate]:
    """Whether both outlines are good enough to align by, and agree."""
    outlines = (reference.outline, moving.outline)
    difference = abs(float(np.log(_aspect(reference) / _aspect(moving))))
    return [
        at_least("outline_arc_fraction", min(o.arc_fraction for o in outlines), MIN_ARC_FRACTION),
        at_most("outline_scatter", max(o.spread_fraction for o in outlines), MAX_SCATTER),
        at_most("outline_cut_fraction", max(o.cut_fraction for o in outlines), MAX_CUT_FRACTION),
        at_most("outline_shape_difference", difference, MAX_SHAPE_DIFFERENCE),
        at_least(
            "outline_agreement",
            outline_overlap(reference, moving, transform),
            MIN_OUTLINE_AGREEMENT,
        ),
        at_least("outline_shared", scalp_overlap(reference, moving, transform), MIN_OVERLAP),
    ]


def _aspect(features: HeadFeatures) -> float:
    """Long over short axis of the outline."""
    m11, m12, m22 = features.outline.shape.outline
    values = np.linalg.svd(np.array([[m11, m12], [0.0, m22]]), compute_uv=False)
    return float(values[0] / values[1])


def fit_by_outline(reference: HeadFeatures, moving: HeadFeatures) -> HeadTransform:
    """The pose that fits both outlines and both borders of the scalp best."""
    prior = outline_only(reference, moving)
    borders = [_Border.of(reference), _Border.of(moving)]
    use_borders = min(each.length_fraction for each in borders) >= _MIN_HAIRLINE_LENGTH

    def residuals(parameters: FloatArray) -> FloatArray:
        transform = _posed(prior, parameters)
        parts = [
            prior.outline_residuals(transform),
            parameters[:3] / np.radians(TURN_SD_DEG),
        ]
        if use_borders:
            parts.append(borders[1].distances(transform.map_points(borders[0].points)))
            parts.append(borders[0].distances(transform.inverse_points(borders[1].points)))
        return np.concatenate(parts)

    fit = least_squares(residuals, np.zeros(6), loss="soft_l1", diff_step=1e-3, max_nfev=30)
    return _posed(prior, fit.x)


def _posed(prior: Prior, parameters: FloatArray) -> HeadTransform:
    """The prior's transform turned (3, rad), shifted (2, head widths) and scaled (1, log)."""
    start = prior.start
    x, y = parameters[3:5] * prior.moving_width_px
    pose = HeadPose(
        (float(parameters[0]), float(parameters[1]), float(parameters[2])),
        (start.pose.centre_px[0] + float(x), start.pose.centre_px[1] + float(y)),
        start.pose.distance * float(np.exp(parameters[5])),
    )
    return HeadTransform(start.reference_camera, start.moving_camera, start.shape, pose)


def turned(
    transform: HeadTransform,
    rng: np.random.Generator,
    count: int,
    *,
    sd_deg: float = TURN_SD_DEG,
) -> tuple[HeadTransform, ...]:
    """Poses that the head may have as well, turned by `sd_deg` (SD) around each axis."""
    found = []
    for _ in range(count):
        turn = Rotation.from_rotvec(rng.normal(0.0, np.radians(sd_deg), 3))
        x, y, z = (turn * Rotation.from_rotvec(transform.pose.rotation)).as_rotvec()
        pose = HeadPose(
            (float(x), float(y), float(z)), transform.pose.centre_px, transform.pose.distance
        )
        found.append(
            HeadTransform(
                transform.reference_camera, transform.moving_camera, transform.shape, pose
            )
        )
    return tuple(found)


class _Border:
    """Where the scalp of one photograph ends at other skin, and how far any point is from there.

    Parameters
    ----------
    points : float (N, 2)
        Photograph points of the border.
    features : HeadFeatures
        Of the photograph.
    """

    def __init__(self, points: FloatArray, features: HeadFeatures) -> None:
        self.points = points
        self._grid = features.grid
        self._width_px = features.head_width_px
        away = np.ones(features.scalp.shape, dtype=bool)
        if len(points):
            at = np.round(features.grid.from_photograph(points)).astype(int)
            away[at[:, 1], at[:, 0]] = False
        self._distance_px = distance_transform_edt(away) * features.grid.step_px

    @property
    def length_fraction(self) -> float:
        """Length of the border in widths of the head."""
        return len(self.points) * _EVERY * self._grid.step_px / self._width_px

    @classmethod
    def of(cls, features: HeadFeatures) -> _Border:
        """Border of the scalp inside the outline, without the edge of the photograph."""
        mask = features.scalp.astype(np.uint8)
        contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        if not contours:
            return cls(np.zeros((0, 2)), features)
        contour = np.asarray(max(contours, key=len), dtype=np.float64).reshape(-1, 2)
        points = features.grid.to_photograph(contour)
        m11, m12, m22 = features.outline.shape.outline
        offset = points - features.outline.shape.centre_px
        radius = np.hypot(m11 * offset[:, 0] + m12 * offset[:, 1], m22 * offset[:, 1])
        height, width = features.photograph_shape
        margin = 2.0 * features.grid.step_px
        inside = (points > margin) & (points < [width - 1 - margin, height - 1 - margin])
        return cls(points[(radius < _HAIRLINE_INSIDE) & inside.all(axis=1)][::_EVERY], features)

    def distances(self, points: FloatArray) -> FloatArray:
        """Distances (N,) of points from the border in standard deviations; far where unseen."""
        at = self._grid.from_photograph(np.nan_to_num(points, nan=-1e4))
        found = map_coordinates(self._distance_px, [at[:, 1], at[:, 0]], order=1, mode="nearest")
        share = np.where(np.isfinite(points[:, 0]), found / self._width_px, 0.1)
        weight = np.sqrt(_EFFECTIVE_POINTS / max(len(points), 1))
        return np.asarray(np.minimum(share, 0.1) / _HAIRLINE_SD * weight)
